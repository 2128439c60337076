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
ready_seconds=30
stop_seconds=40  # longer than a drain

node=
backend=

# check_port PORT NAME VARIABLE
check_port() {
  local holder
  holder=$(ss -Hltnp "sport = :$1" | head -n 1)
  [ -z "$holder" ] && return
  # users:(("python3",pid=1234,fd=3)); other people's processes are shown to root only.
  if [[ $holder =~ \(\(\"([^\"]+)\",pid=([0-9]+) ]]; then
    holder="${BASH_REMATCH[1]} (process ${BASH_REMATCH[2]})"
  else
    holder="a process of another user"
  fi
  echo "port $1 ($2) is taken by $holder; end it, or choose another: $3=<port> make run" >&2
  exit 1
}

alive() { kill -0 "$1" 2>/dev/null; }

# Stops both, the backend first: the node then has nobody to wait for.
stop() {
  trap 'kill -KILL $backend $node 2>/dev/null || true' INT TERM
  local pid deadline=$((SECONDS + stop_seconds))
  for pid in $backend $node; do
    kill -TERM "$pid" 2>/dev/null || true
  done
  for pid in $backend $node; do
    while alive "$pid" && ((SECONDS < deadline)); do sleep 0.05; done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
}

# die MESSAGE LOG
die() {
  echo "$1; the end of $2:" >&2
  tail -n 20 "$2" >&2
  stop
  exit 1
}

# await PID NAME LOG CONDITION...: until the condition holds; the process must live and time must not run out.
await() {
  local pid=$1 name=$2 log=$3 deadline=$((SECONDS + ready_seconds))
  shift 3
  until "$@"; do
    alive "$pid" || die "$name ended before it was ready" "$log"
    ((SECONDS < deadline)) || die "$name was not ready within $ready_seconds s" "$log"
    sleep 0.05
  done
}

node_ready() { curl -fs -o /dev/null "http://127.0.0.1:$admin/readyz"; }
backend_ready() { ss -Htnp state established "dport = :$control" | grep -q "pid=$backend,"; }

print_hints() {
  local call="grpcurl -plaintext"
  cat <<EOF

The chat page, for two tabs:  http://localhost:$gateway/

To talk to the node yourself (grpcurl: go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3):

  $call 127.0.0.1:$control wsrouter.v1.Admin/Stats
  $call 127.0.0.1:$control wsrouter.v1.Router/Rooms
  $call -d '{"room": "lobby"}' 127.0.0.1:$control wsrouter.v1.Router/Members
  $call -d '{"room": "lobby", "payload": {"text": "hello from grpcurl"}}' 127.0.0.1:$control wsrouter.v1.Router/Push
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

interrupted=
trap 'interrupted=1' INT TERM

"$bin/wsrouter" \
  --set "gateway.listen=0.0.0.0:$gateway" \
  --set "gateway.page_file=$root/client/examples/chat.html" \
  --set "control.listen=127.0.0.1:$control" \
  --set "admin.listen=127.0.0.1:$admin" >"$logs/node.log" 2>&1 &
node=$!
await $node wsrouter "$logs/node.log" node_ready

"$bin/chat_backend" --router "127.0.0.1:$control" >"$logs/chat_backend.log" 2>&1 &
backend=$!
await $backend chat_backend "$logs/chat_backend.log" backend_ready

print_hints

# A signal ends this wait with a code above 128; a process that ends by itself is an error.
[ -n "$interrupted" ] || wait -n $node $backend || true
if [ -z "$interrupted" ]; then
  alive $node || die "wsrouter ended by itself" "$logs/node.log"
  die "chat_backend ended by itself" "$logs/chat_backend.log"
fi
echo
echo "stopping"
stop
