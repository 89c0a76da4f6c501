#!/usr/bin/env bash
# Boots a real Xen host in QEMU and launches a container on it: ./try.sh [IMAGE [COMMAND…]]
# Without arguments: a shell in a busybox image that is made on the spot and pulled from a registry beside the host. "busybox" and "debian" as
# IMAGE are those made on the spot, too. The exit status is the container's.
set -euo pipefail
repository=$(cd "$(dirname "$0")" && pwd)
cd "$repository"

case ${1:-} in -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;; esac
image=${1:-busybox}
[ $# -eq 0 ] || shift
step() { echo "try: $*" >&2; }

step "what building and booting need"
./scripts/install-dependencies.sh
step "building"
./build.sh
step "the Xen host's parts, and the images (made once, then kept)"
lab/prepare.sh
lab/registry.sh --prepare

registry=registry.local:5000
options=()
case $image in
  busybox | debian) image=$registry/$image:latest ;;
esac
case $image in "$registry"/*) options+=(--insecure) ;; esac

# In dom0: the daemons, then the container. exec hands the terminal over.
# shellcheck disable=SC2016
start='
  log=/var/log/hyphad.log
  sysctl -qw net.ipv4.ping_group_range="0 2147483647" # as distributions set it: ping without privileges
  /usr/sbin/hyphanet >/var/log/hyphanet.log 2>&1 &
  /usr/sbin/hyphad >"$log" 2>&1 &
  daemon=$!
  for _ in $(seq 600); do
    [ -S /run/hypha/hyphad.sock ] && break
    kill -0 "$daemon" 2>/dev/null || { echo "try: hyphad ended:" >&2; cat "$log" >&2; exit 125; }
    read -rt 0.1 <> <(:)
  done
  echo "try: launching $1" >&2
  shift
  hyphactl launch --attach --rm "$@" || { status=$?; [ $status -ne 125 ] || tail -n 20 "$log" >&2; exit $status; }
'
run=(--overlay artifacts/root --registry)
if [ -t 0 ] && [ -t 1 ]; then run+=(--tty); fi
step "booting Xen and dom0"
exec lab/run.sh "${run[@]}" -- bash -c "$start" try "$image" "${options[@]}" "$image" "$@"
