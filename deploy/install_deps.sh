#!/usr/bin/env bash
# Installs what is missing of Debian 12's packages: `install_deps.sh` for build, run and test,
# `install_deps.sh dev` also for format and fuzz. Prints nothing and returns at once when all is there.
set -euo pipefail

packages=(
  # the build itself
  g++ cmake ninja-build ccache make git patch pkg-config
  # gRPC and protobuf
  libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc libabsl-dev
  # the gateway; libwebsockets loads its libev plugin at run time
  libwebsockets-dev libwebsockets-evlib-ev libev-dev libssl-dev zlib1g-dev
  # the Redis engine
  libhiredis-dev
  # configuration, log, admin HTTP
  libyaml-cpp-dev libspdlog-dev libfmt-dev nlohmann-json3-dev prometheus-cpp-dev libcpp-httplib-dev
  # the WebSocket client
  libboost-dev
  # wsrouterctl
  libcli11-dev
  # what the Redis engine is tested against; only its program, the tests start their own
  redis-server
  # tests and benchmarks; ss tells who holds a port, curl asks whether the node is ready
  libgtest-dev libgmock-dev libbenchmark-dev python3 python3-websockets iproute2 curl
  # the examples in Python and PHP, which a test runs; those in Node.js and Go: client/examples/install.sh
  python3-grpcio python3-protobuf php-cli php-curl php-bcmath php-google-protobuf
)
if [ "${1:-}" = dev ]; then
  packages+=(clang-14 libclang-rt-14-dev clang-format-14)
fi

missing=()
# One query for all of them; a name that dpkg has never heard of is missing too.
installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "${packages[@]}" 2>/dev/null |
            awk '$1 == "ii" || $1 == "hi" {print $2}' || true)
for package in "${packages[@]}"; do
  grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ]; then
  as_root=()
elif command -v sudo >/dev/null; then
  as_root=(sudo)
else
  echo "missing packages, and neither root nor sudo to install them. As root:" >&2
  echo "  apt-get install ${missing[*]}" >&2
  exit 1
fi

echo "installing: ${missing[*]}"
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq "$@"
}
apt update
apt install -y --no-install-recommends "${missing[@]}" >/dev/null
