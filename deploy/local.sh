# For run-local.sh and run-cluster.sh, which source it: starts programs on this machine, waits until
# each is ready, and ends them all, the youngest first.

ready_seconds=30
stop_seconds=40  # longer than a drain

pids=()      # of what was started, oldest first
names=()
logs_of=()
foundations=0  # how many of the oldest must outlive the others
interrupted=

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
  echo "port $1 ($2) is taken by $holder; end it, or choose another: $3=<port> make $job" >&2
  exit 1
}

alive() { kill -0 "$1" 2>/dev/null; }

# stop_from FIRST: signals those from the FIRST-th on, the youngest first, and waits for them.
stop_from() {
  local i deadline=$((SECONDS + stop_seconds))
  for ((i = ${#pids[@]} - 1; i >= $1; --i)); do
    kill -TERM "${pids[i]}" 2>/dev/null || true
  done
  for ((i = ${#pids[@]} - 1; i >= $1; --i)); do
    while alive "${pids[i]}" && ((SECONDS < deadline)); do sleep 0.05; done
    kill -KILL "${pids[i]}" 2>/dev/null || true
    wait "${pids[i]}" 2>/dev/null || true
  done
  pids=("${pids[@]:0:$1}")
}

# Stops all; what the others need to end well (foundations, the oldest) behind them.
stop() {
  trap 'kill -KILL "${pids[@]}" 2>/dev/null || true' INT TERM
  stop_from $((${#pids[@]} < foundations ? ${#pids[@]} : foundations))
  stop_from 0
}

# die MESSAGE LOG
die() {
  echo "$1; the end of $2:" >&2
  tail -n 20 "$2" >&2
  stop
  exit 1
}

# launch NAME LOG PROGRAM...: starts it in the background; its process id is in $launched.
launch() {
  names+=("$1")
  logs_of+=("$2")
  "${@:3}" >"$2" 2>&1 &
  launched=$!
  pids+=("$launched")
}

# await CONDITION...: until it holds for what was launched last, which must live meanwhile.
await() {
  local deadline=$((SECONDS + ready_seconds)) name=${names[-1]} log=${logs_of[-1]}
  until "$@"; do
    alive "$launched" || die "$name ended before it was ready" "$log"
    ((SECONDS < deadline)) || die "$name was not ready within $ready_seconds s" "$log"
    sleep 0.05
  done
}

node_ready() { curl -fs -o /dev/null "http://127.0.0.1:$1/readyz"; }
# backend_ready CONTROL_PORT: what was launched last is connected to it.
backend_ready() { ss -Htnp state established "dport = :$1" | grep -q "pid=$launched,"; }

# Until a signal comes; a program that ends by itself is an error.
wait_for_signal() {
  [ -n "$interrupted" ] || wait -n "${pids[@]}" || true
  if [ -z "$interrupted" ]; then
    local i
    for i in "${!pids[@]}"; do
      alive "${pids[i]}" || die "${names[i]} ended by itself" "${logs_of[i]}"
    done
  fi
  echo
  echo "stopping"
  stop
}

trap 'interrupted=1' INT TERM
