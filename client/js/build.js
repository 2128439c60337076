// npm run build: dist/, what the package has. With --page also ../examples/chat.html, which holds
// the minified library, so that whoever runs the chat needs neither Node.js nor npm.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const pageFile = new URL("../examples/chat.html", import.meta.url);
const block = /(<script id="wsrouter">\n)[^]*?(\n<\/script>)/;

function minified(options) {
  const { outputFiles } = buildSync({
    absWorkingDir: here,
    entryPoints: ["src/index.ts"],
    bundle: true,
    minify: true,
    target: "es2022",
    write: false,
    ...options,
  });
  return outputFiles[0].text.trim();
}

/** The text of the chat page, and what it has to be. */
export function page() {
  const text = readFileSync(pageFile, "utf8");
  if (!block.test(text)) throw new Error("the page has no script with the id wsrouter");
  const library = minified({ format: "iife", globalName: "wsrouter" });
  return { text, wanted: text.replace(block, (_, begin, end) => begin + library + end) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const compiler = "node_modules/typescript/bin/tsc";
  execFileSync(process.execPath, [compiler], { cwd: here, stdio: "inherit" });
  writeFileSync(`${here}dist/wsrouter.min.js`, minified({ format: "esm" }) + "\n");
  if (process.argv.includes("--page")) writeFileSync(pageFile, page().wanted);
}
