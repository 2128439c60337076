#!/usr/bin/env bash
# run-local.sh [BUILD_DIR]: one node on the memory engine with the sample chat backend, until Ctrl-C.
# Other ports than the defaults: GATEWAY_PORT=8081 CONTROL_PORT=9091 ADMIN_PORT=9101.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
bin=$(realpath "${1:-$root/build/release}")
gateway=${GATEWAY_PORT:-8080}
control=${CONTROL_PORT:-9090}
admin=${ADMIN_PORT:-9100}
logs=$bin/run
job=run
. "$root/deploy/local.sh"

print_hints() {
  local call="grpcurl -plaintext"
  cat <<EOF

The chat page, for two tabs:  http://localhost:$gateway/

To talk to the node yourself (grpcurl: go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3):

  $call 127.0.0.1:$control wsrouter.v1.Admin/Stats
  $call 127.0.0.1:$control wsrouter.v1.Router/Rooms
  $call -d '{"room": "lobby"}' 127.0.0.1:$control wsrouter.v1.Router/Members
  $call -d '{"room": "lobby", "payload": {"text": "hello from grpcurl"}}' 127.0.0.1:$control wsrouter.v1.Router/Push
  $call -d '{"room": "lobby", "limit": 10, "reverse": true}' 127.0.0.1:$control wsrouter.v1.Router/History
  $call 127.0.0.1:$control wsrouter.v1.Router/OnlineCount
  $call -d '{"include_messages": true}' 127.0.0.1:$control wsrouter.v1.Events/Watch

Health and metrics:  http://127.0.0.1:$admin/healthz/ws  http://127.0.0.1:$admin/metrics
Logs:  $logs/node.log  $logs/chat_backend.log
Ctrl-C stops both.
EOF
}

check_port "$gateway" "WebSocket clients" GATEWAY_PORT
check_port "$control" gRPC CONTROL_PORT
check_port "$admin" "health and metrics" ADMIN_PORT
mkdir -p "$logs"

launch wsrouter "$logs/node.log" "$bin/wsrouter" \
  --set "gateway.listen=0.0.0.0:$gateway" \
  --set "gateway.page_file=$root/client/examples/chat.html" \
  --set history.size=200 --set history.ttl=1h \
  --set "control.listen=127.0.0.1:$control" \
  --set "admin.listen=127.0.0.1:$admin"
await node_ready "$admin"

launch chat_backend "$logs/chat_backend.log" "$bin/chat_backend" --router "127.0.0.1:$control"
await backend_ready "$control"

print_hints
wait_for_signal
