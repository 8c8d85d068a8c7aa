import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import test from "node:test";

const AXE = new URL("../../../../tests/vendor/axe-core/", import.meta.url);

test("axe is as it was published, with its licences", () => {
  const origin = JSON.parse(readFileSync(new URL("origin.json", AXE), "utf8"));
  const files = readdirSync(AXE).filter((name) => name !== "origin.json");
  assert.deepEqual(files.sort(), Object.keys(origin.files).sort());
  for (const [name, { sha256 }] of Object.entries(origin.files)) {
    const bytes = readFileSync(new URL(name, AXE));
    const sum = createHash("sha256").update(bytes).digest("hex");
    assert.equal(sum, sha256, name);
  }
  const script = readFileSync(new URL("axe.min.js", AXE), "utf8");
  const [, version] = /^\/\*! axe v(\S+)/.exec(script) ?? [];
  assert.equal(`axe-core@${version}`, origin.package);
});
