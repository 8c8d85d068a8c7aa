import assert from "node:assert/strict";
import test from "node:test";

import { endOf, shapeLabel, spansOf } from "../model/shape.js";

test("how the traces of a shape ended", () => {
  for (const [
    outcome,
    from,
    expected,
  ] of /** @type {[string, string | null, string][]} */ ([
    ["200", null, "200"],
    ["502", "fraud", "502 from fraud"],
    ["error", "", "error from an unknown service"],
    ["", null, "no root"],
  ]))
    assert.equal(endOf({ outcome, error_service: from }), expected);
});

test("a shape in words", () => {
  assert.equal(
    shapeLabel('["shop","POST /pay","502","fraud",8]'),
    "shop POST /pay: 502 from fraud, 8 services",
  );
  assert.equal(shapeLabel("[nonsense"), "[nonsense", "as it is");
});

test("spans as a range", () => {
  assert.equal(spansOf([7, 7]), "7 spans");
  assert.equal(spansOf([1, 1]), "1 span");
  assert.equal(spansOf([4, 6]), "4–6 spans");
});
