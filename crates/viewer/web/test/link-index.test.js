import assert from "node:assert/strict";
import test from "node:test";

import { linkIndex } from "../model/link-index.js";
import { span } from "./spans.js";

test("links are found by both of their ends", () => {
  const link = (
    /** @type {string} */ trace_id,
    /** @type {string} */ span_id,
  ) => ({
    trace_id,
    span_id,
    reason: null,
  });
  const spans = [
    span({ id: "a", links: [link("t", "b"), link("other", "b")] }),
    span({ id: "b", links: [link("t", "b")] }),
    span({ id: "c", links: [link("t", "b"), link("t", "gone")] }),
  ];
  const found = linkIndex({ trace_id: "t", spans });
  const from = (/** @type {string} */ id) =>
    found.get(id)?.map((one) => one.from);
  assert.deepEqual(from("a"), [0], "within the trace only");
  assert.deepEqual(from("b"), [0, 1, 2], "to it, and to itself once");
  assert.deepEqual(from("gone"), [2]);
  assert.equal(from("d"), undefined);
});
