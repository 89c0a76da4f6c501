#!/usr/bin/env bash
# A running guest, in one boot of the lab, against one that xl made: bytes through attach and console, a key's way there and back, what an idle
# guest does in a minute, and the least memory it runs in.      bench/guest.sh          after ./build.sh
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
bench/dom0/make-peer-initrd.sh "$work/xl-initrd"
lab/run.sh --overlay artifacts/root --registry --kernels --xen-tools --xenconsoled --memory 6144 --dom0-memory 2048 \
  --in bench/dom0/common.sh --in bench/dom0/guest.sh --in "$work/xl-initrd" -- bash /lab/in/guest.sh
