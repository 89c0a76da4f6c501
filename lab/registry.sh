#!/usr/bin/env bash
# A registry (Debian's docker-registry) on 127.0.0.1 with images made on the spot: busybox and debian, in the foreground until it is
# ended. What is pushed to it is dropped then. lab/registry.sh [PORT] | --prepare (makes the images and goes) | --layouts (prints NAME DIR)
set -euo pipefail
source "$(dirname "$0")/parts.sh"
prepare_registry
case ${1:-5000} in
  --prepare) exit 0 ;;
  --layouts) printf 'busybox %s\ndebian %s\n' "$busybox/layout" "$debian/layout"; exit 0 ;;
esac
port=${1:-5000}
storage=$(mktemp -d "${TMPDIR:-/tmp}/hypha-registry.XXXXXX")
server=''
finish() { [ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }; rm -rf "$storage"; }
trap finish EXIT
trap 'exit 0' INT TERM
# Blobs are written once and never changed: links are enough.
cp -al "$registry/storage" "$storage/" 2>/dev/null || cp -a "$registry/storage" "$storage/"
serve_registry "$storage/storage" "$port" &
server=$!
wait "$server"
