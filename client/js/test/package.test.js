// What others get: the package, and the chat page with the library in it.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { page } from "../build.js";

const root = new URL("..", import.meta.url);
const read = (path) => readFileSync(new URL(path, root), "utf8");
const manifest = JSON.parse(read("package.json"));

test("the minified library is below 6 KiB, gzipped", () => {
  const size = gzipSync(read("dist/wsrouter.min.js"), { level: 9 }).length;
  assert.ok(size < 6144, `${size} octets`);
});

test("it needs nothing at run time", () => {
  assert.equal(manifest.dependencies, undefined);
  assert.equal(manifest.peerDependencies, undefined);
  assert.doesNotMatch(read("dist/wsrouter.min.js"), /\bimport\b|\brequire\(/);
});

test("what the package names is there, with its types", async () => {
  const { types, default: main } = manifest.exports["."];
  for (const path of [types, main, manifest.types, manifest.main, "README.md"]) {
    assert.ok(existsSync(new URL(path, root)), path);
  }
  const library = await import(new URL(main, root));
  assert.deepEqual(Object.keys(library).sort(), ["WsrouterError", "connect"]);
  assert.deepEqual(await import(new URL("dist/wsrouter.min.js", root)).then(Object.keys),
                   Object.keys(library));
});

test("the chat page has the library as it is; `npm run page` brings it there", () => {
  const { text, wanted } = page();
  assert.ok(text === wanted, "run `npm run page` in client/js");
});

test("the chat page is small enough for gateway.page_file", () => {
  assert.ok(Buffer.byteLength(page().text) <= 60 * 1024);
});
