#!/usr/bin/env bash
# Installs what the examples need besides the packages of deploy/install_deps.sh, on Debian 12 and as root: packages
# for Python and PHP, and where npm and Go are there, the modules that the examples name.
set -euo pipefail
cd "$(dirname "$0")"

packages=(python3-grpcio python3-protobuf protobuf-compiler protobuf-compiler-grpc
          php-cli php-curl php-bcmath php-google-protobuf)
if ! dpkg-query -W "${packages[@]}" >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update
  apt-get -qq install -y --no-install-recommends "${packages[@]}"
fi
if command -v npm >/dev/null; then
  npm install --prefix node --no-audit --no-fund
fi
if command -v go >/dev/null; then
  go -C go mod download
fi
