import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import test from "node:test";

const VENDORED = new URL("../vendor/", import.meta.url);

for (const name of readdirSync(VENDORED)) {
  const folder = new URL(`${name}/`, VENDORED);
  const origin = JSON.parse(
    readFileSync(new URL("origin.json", folder), "utf8"),
  );

  test(`the files of ${name} are those of its package`, () => {
    assert.match(origin.package, /^(@[\w-]+\/)?[\w.-]+@\d+\.\d+\.\d+$/);
    assert.match(origin.licence, /^[\w.-]+$/);
    assert.ok(existsSync(new URL("LICENSE", folder)), "it has its licence");
    // Types are written here.
    const files = readdirSync(folder).filter(
      (file) => file !== "origin.json" && !file.endsWith(".d.ts"),
    );
    assert.deepEqual(files.sort(), Object.keys(origin.files).sort());
    for (const file of files) {
      const bytes = readFileSync(new URL(file, folder));
      const actual = createHash("sha256").update(bytes).digest("hex");
      assert.equal(actual, origin.files[file].sha256, file);
    }
  });
}
