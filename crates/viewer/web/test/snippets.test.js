import assert from "node:assert/strict";
import test from "node:test";

import { snippets } from "../model/snippets.js";

test("every snippet has this app's address, and curl's body is OTLP", () => {
  const all = snippets("http://127.0.0.1:3000", 1_790_000_000_000);
  for (const [name, text] of all)
    assert.ok(text.includes("http://127.0.0.1:3000"), name);
  const body = /-d '(.*)'$/.exec(all[0][1])?.[1] ?? "";
  const [span] = JSON.parse(body).resourceSpans[0].scopeSpans[0].spans;
  assert.equal(span.startTimeUnixNano, "1790000000000000000");
});
