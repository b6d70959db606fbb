#!/bin/sh
# Makes stand-ins for the images that the Dockerfile and docker-compose.yml ask for, where no image
# can be pulled. They consist of Debian's packages, so that Leque's own images can be built, started
# and tested for real. Needs root, docker, debootstrap and npm. An image that exists already is left
# alone; Grafana is not among Debian's packages.
#   infra/docker/stand-ins.sh
#   docker image rm $(docker image ls -q --filter label=leque.stand-in)     removes them
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# The suite with an nginx that knows `resolve`.
suite=${DEBIAN_SUITE:-sid}
# The mirror that this machine takes its own Debian packages from.
mirror=${DEBIAN_MIRROR:-$(
  apt-get indextargets --format '$(ORIGIN)/$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
    sed -n 's|^Debian/Debian ||p' | head -n 1
)}
[ -n "$mirror" ] || { echo 'This machine has no source of Debian packages: set DEBIAN_MIRROR.' >&2; exit 1; }
base=leque-stand-in-debian
# BuildKit would ask a registry for every base image.
export DOCKER_BUILDKIT=0

have() { docker image inspect "$1" >/dev/null 2>&1; }

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT

if ! have $base; then
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$context/root" "$mirror"
  rm -rf "$context"/root/var/cache/apt/archives/*.deb
  tar -C "$context/root" -c . | docker import --change 'LABEL leque.stand-in=yes' - $base >/dev/null
  rm -rf "$context/root"
fi

case $(uname -m) in
  x86_64) cpu=x64 ;;
  aarch64) cpu=arm64 ;;
  *) echo "no Node for $(uname -m) from npm" >&2; exit 1 ;;
esac
take() {
  npm pack --silent --pack-destination "$context" "$2" >/dev/null
  tar -C "$context" -xf "$context"/"$3"-*.tgz
  mv "$context/package" "$context/$1"
}
take npm npm@11 npm
take node "node-linux-$cpu@24" "node-linux-$cpu"
# This machine may reach the npm registry through a proxy with a certificate of its own.
cp /etc/ssl/certs/ca-certificates.crt "$context"

build() {
  have "$1" && return
  docker build --network host -f "$here/stand-ins.Dockerfile" --target "$2" -t "$1" "$context"
}
build node:24-bookworm-slim node
build redis:8.2-alpine redis
build nginx:1.30-alpine nginx
build prom/prometheus:v3.5.3 prometheus
build prom/alertmanager:v0.33.1 alertmanager
build oliver006/redis_exporter:v1.86.0 redis-exporter
