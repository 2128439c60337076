#!/usr/bin/env bash
# Lints proto/ with buf, taken from the npm registry into the build folder.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=build/tools/buf
if ! command -v npm >/dev/null; then
  echo "buf comes from npm, and there is no npm" >&2
  exit 1
fi
if [ ! -x "$tools/node_modules/.bin/buf" ]; then
  mkdir -p "$tools"
  npm install --silent --no-audit --no-fund --prefix "$tools" @bufbuild/buf@1.75.0
fi
"$tools/node_modules/.bin/buf" lint
