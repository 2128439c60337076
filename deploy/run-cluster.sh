#!/usr/bin/env bash
# run-cluster.sh [BUILD_DIR]: three nodes around one Redis, each with a chat backend of its own, until
# Ctrl-C. Node n listens on GATEWAY_PORT + n - 1, and so on: 8080-8082, 9090-9092, 9100-9102.
# The Redis is private: a Unix socket in the folder of the logs.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
bin=$(realpath "${1:-$root/build/release}")
gateway=${GATEWAY_PORT:-8080}
control=${CONTROL_PORT:-9090}
admin=${ADMIN_PORT:-9100}
logs=$bin/run
job=run-cluster
. "$root/deploy/local.sh"

# A path of a Unix socket may have 107 octets; that of a build folder may be longer.
run=$(mktemp -d "${TMPDIR:-/tmp}/wsrouter-cluster.XXXXXX")
trap 'rm -rf "$run"' EXIT
redis_ready() { [ "$(redis-cli -s "$run/redis.sock" ping 2>/dev/null)" = PONG ]; }

print_hints() {
  local call="grpcurl -plaintext"
  cat <<EOF

The chat page of each node, for one tab each; all are in one room:
  http://localhost:$gateway/  http://localhost:$((gateway + 1))/  http://localhost:$((gateway + 2))/

Any node answers for all of them:
  $call 127.0.0.1:$control wsrouter.v1.Router/OnlineByServer
  $call -d '{"room": "lobby"}' 127.0.0.1:$((control + 1)) wsrouter.v1.Router/Members
  $call -d '{"room": "lobby", "payload": {"text": "hello"}}' 127.0.0.1:$((control + 2)) wsrouter.v1.Router/Push

Keys in Redis:  redis-cli -s $run/redis.sock --scan
Logs:  $logs/node-1.log, node-2.log, node-3.log, chat_backend-1.log, ..., redis.log
Ctrl-C stops all.
EOF
}

for n in 0 1 2; do
  check_port $((gateway + n)) "WebSocket clients" GATEWAY_PORT
  check_port $((control + n)) gRPC CONTROL_PORT
  check_port $((admin + n)) "health and metrics" ADMIN_PORT
done
mkdir -p "$logs"

# In a session of its own: Ctrl-C reaches the nodes first, which give back what they have in it.
launch redis "$logs/redis.log" setsid redis-server --port 0 --unixsocket "$run/redis.sock" --dir "$run" \
  --save '' --appendonly no
foundations=1
await redis_ready

export WSROUTER_REDIS_URL="redis+unix://$run/redis.sock"
for n in 0 1 2; do
  launch "node-$((n + 1))" "$logs/node-$((n + 1)).log" "$bin/wsrouter" \
    --set "node.server_id=node-$((n + 1))" \
    --set "gateway.listen=0.0.0.0:$((gateway + n))" \
    --set "gateway.page_file=$root/client/examples/chat.html" \
    --set history.size=200 --set history.ttl=1h \
    --set "control.listen=127.0.0.1:$((control + n))" \
    --set "admin.listen=127.0.0.1:$((admin + n))"
  await node_ready $((admin + n))
  launch "chat_backend-$((n + 1))" "$logs/chat_backend-$((n + 1)).log" \
    "$bin/chat_backend" --router "127.0.0.1:$((control + n))"
  await backend_ready $((control + n))
done

print_hints
wait_for_signal
