#!/usr/bin/env bash
# The tests of client/js. Exit code 77: there is no Node.js to run them, or npm cannot bring what
# builds them.
set -euo pipefail
cd "$(dirname "$0")/../../client/js"

skip() {
  echo "skipped: $1"
  exit 77
}

command -v node >/dev/null || skip "there is no node"
[ "$(node -p 'process.versions.node.split(".")[0] >= 20')" = true ] ||
  skip "node $(node --version) is older than 20"
if ! [ node_modules/.package-lock.json -nt package-lock.json ]; then
  command -v npm >/dev/null || skip "there is no npm to install the packages of client/js"
  timeout 200 npm ci --no-audit --no-fund --fetch-retries=1 --fetch-timeout=20000 >&2 ||
    skip "npm could not install the packages of client/js"
fi
node build.js
exec node --test --test-reporter=spec test/*.test.js
