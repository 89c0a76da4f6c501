#!/usr/bin/env bash
# Launching: hyphactl launch against xl create, of the same kernel, initrd, memory and disks, in one boot of the lab; then the container's first
# line, twenty guests, and ten at once.
#   bench/launch.sh [--rounds N] [--guests N]          after ./build.sh; with our own kernel, too, where it was built
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
bench/dom0/make-peer-initrd.sh "$work/xl-initrd"
source lab/parts.sh
debian=$(part kernel)

inputs=(--in bench/dom0/common.sh --in bench/dom0/launch.sh --in "$work/xl-initrd" --in "$debian/vmlinuz:debian-kernel")
! own=$(guest_kernel) || inputs+=(--in "$own/kernel:hypha-kernel" --in "$own/vmlinux:hypha-vmlinux")
lab/run.sh --overlay artifacts/root --registry --xen-tools --xenconsoled --memory 8192 --dom0-memory 2048 "${inputs[@]}" \
  -- bash /lab/in/launch.sh "$rounds" "$guests"
