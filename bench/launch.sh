#!/usr/bin/env bash
# Launching: hyphactl launch against xl create, of the same kernel, initrd, memory and disks, in one boot of the lab; then the container's first
# line, twenty guests, and ten at once.
#   bench/launch.sh [--rounds N] [--guests N]          after ./build.sh; with kernel/target/kernel, that one, too
# Prints seconds: medians, smallest and largest, and the ratio of the medians.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=5 guests=20
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) rounds=$2; shift 2 ;;
    --guests) guests=$2; shift 2 ;;
    *) sed -n 2,6p "$0" >&2; exit 2 ;;
  esac
done

work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
source lab/parts.sh
prepare_registry
debian=$(part kernel)

# What boots the image without Hypha: a shell script that mounts what hyphactr mounts and starts the command.
layout=$(lab/registry.sh --layouts | sed -n 's/^busybox //p')
mkdir -p "$work/tree/bin"
for layer in "$layout"/blobs/sha256/*; do
  tar -xOf "$layer" --wildcards '*bin/busybox' >"$work/tree/bin/busybox" 2>/dev/null && [ -s "$work/tree/bin/busybox" ] && break
done
chmod 755 "$work/tree/bin/busybox"
scripts/make-initrd.sh "$work/script" bench/dom0/init "$debian/modules/lib/modules/$(cat "$debian/version")"
(cd "$work/tree" && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) >"$work/busybox"
cat "$work/script" "$work/busybox" >"$work/xl-initrd"

inputs=(--in bench/dom0/launch.sh --in "$work/xl-initrd" --in "$debian/vmlinuz:debian-kernel")
for kernel in kernel vmlinux; do
  [ ! -f "kernel/target/$kernel" ] || inputs+=(--in "kernel/target/$kernel:hypha-$kernel")
done
lab/run.sh --overlay artifacts/root --registry --xen-tools --xenconsoled --memory 8192 --dom0-memory 2048 "${inputs[@]}" \
  -- bash /lab/in/launch.sh "$rounds" "$guests"
