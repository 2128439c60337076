#!/usr/bin/env bash
# install_grpcurl.sh DIR: puts grpcurl into DIR. One that is installed on the machine is linked; otherwise
# it is built from its Go module. Returns at once when it is there. Without a Go toolchain it returns 77,
# which ctest shows as skipped, and the test that needs it says so.
set -euo pipefail

version=v1.9.3
dir=$(realpath -m "$1")
[ -x "$dir/grpcurl" ] && exit 0
mkdir -p "$dir"

if found=$(command -v grpcurl); then
  ln -sf "$found" "$dir/grpcurl"
elif command -v go >/dev/null; then
  # Outside of any module, so that no go.mod of a folder above has a say.
  cd "$dir"
  GOBIN=$dir GOFLAGS= go install "github.com/fullstorydev/grpcurl/cmd/grpcurl@$version"
else
  echo "no Go toolchain: grpcurl is not installed" >&2
  exit 77
fi
"$dir/grpcurl" -version
