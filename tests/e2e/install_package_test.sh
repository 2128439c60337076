#!/usr/bin/env bash
# Installs the client library from the build folder and builds, outside the tree, a program that knows
# only find_package(wsrouter-client) and wsrouter::client; then runs it.
set -euo pipefail

build=${WSROUTER_BUILD_DIR:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --component client --prefix "$work/installed" >"$work/install.log"

# Installed files must not lead back to the tree or to the build folder.
for folder in "${WSROUTER_SOURCE_DIR:?}" "$build"; do
  if grep -rIl "$folder" "$work/installed" --include='*.cmake' --include='*.h'; then
    echo "the files above name $folder" >&2
    exit 1
  fi
done

mkdir "$work/consumer"
cat >"$work/consumer/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES CXX)
find_package(wsrouter-client 0.1 REQUIRED)
add_executable(consumer main.cc)
target_link_libraries(consumer PRIVATE wsrouter::client)
END
cat >"$work/consumer/main.cc" <<'END'
#include <wsrouter/backend_client.h>
#include <wsrouter/websocket_client.h>

#include <iostream>

// Nobody listens on port 1, and that is what both clients must say.
int main() {
  wsrouter::client::BackendClient router({.target = "127.0.0.1:1"});
  const auto pushed = router.Push(
      {.rooms = {"lobby"}, .payload = wsrouter::client::Payload::Text("hello")});
  if (!absl::IsUnavailable(pushed.status())) return 1;

  const auto refused = wsrouter::client::WebSocketClient::Connect({.url = "http://127.0.0.1"}, {});
  if (!absl::IsInvalidArgument(refused.status())) return 2;
  std::cout << "consumer ran\n";
}
END

# A library with sanitizers needs their run time in the program, too.
sanitize=$(sed -n 's/^WSROUTER_SANITIZE:STRING=//p' "$build/CMakeCache.txt")
cmake -S "$work/consumer" -B "$work/consumer/build" -DCMAKE_PREFIX_PATH="$work/installed" \
  -DCMAKE_CXX_FLAGS="-Wall -Wextra -Werror ${sanitize:+-fsanitize=$sanitize}" >"$work/configure.log" 2>&1 ||
  { cat "$work/configure.log" >&2; exit 1; }
cmake --build "$work/consumer/build" >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; exit 1; }
"$work/consumer/build/consumer"
