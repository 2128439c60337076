#!/usr/bin/env bash
# stubs.sh LANGUAGE FOLDER: makes what protoc makes of wsrouter's protos for an example, python, go or php,
# into FOLDER. C++ gets its stubs from CMake, Node.js reads the protos when it starts.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${2:?stubs.sh LANGUAGE FOLDER}"
out=$(cd "$2" && pwd)
cd "$here/../../proto"
files=(wsrouter/v1/router.proto wsrouter/v1/backend.proto)

case $1 in
  python)
    if python=$(command -v grpc_python_plugin); then  # Debian's protobuf-compiler-grpc
      protoc --plugin="protoc-gen-grpc_python=$python" --python_out="$out" --grpc_python_out="$out" "${files[@]}"
    else  # grpcio-tools of requirements.txt
      python3 -m grpc_tools.protoc -I . --python_out="$out" --grpc_python_out="$out" "${files[@]}"
    fi ;;
  go)
    # The plugins are the tools of go.mod; the package is that of the module in whose folder FOLDER is.
    options=paths=source_relative
    for file in "${files[@]}"; do options+=",M$file=chat/gen/wsrouter/v1;wsrouterv1"; done
    protoc --plugin="protoc-gen-go=$(go -C "$here/go" tool -n protoc-gen-go)" \
      --plugin="protoc-gen-go-grpc=$(go -C "$here/go" tool -n protoc-gen-go-grpc)" \
      --go_out="$out" --go_opt="$options" --go-grpc_out="$out" --go-grpc_opt="$options" "${files[@]}" ;;
  php)
    protoc --php_out="$out" "${files[@]}" wsrouter/v1/events.proto google/rpc/status.proto ;;
  *)
    echo "stubs for '$1'? python, go and php are known" >&2
    exit 2 ;;
esac
