#!/usr/bin/env bash
# A container's network on Xen, in one boot of the lab: hyphanet serving the guest's rings itself, hyphanet behind xen-netback, and xen-netback with
# dom0's own TCP/IP at its end. Everything is emulated here: the ratios count.
#   bench/network-lab.sh [--rounds N] [--mib N]          after ./build.sh
# Prints, for each: Mbit/s each way (one stream, dom0 at the other end), ping in ms.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=3 mib=32
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) rounds=$2; shift 2 ;;
    --mib) mib=$2; shift 2 ;;
    *) sed -n 2,5p "$0" >&2; exit 2 ;;
  esac
done
lab/run.sh --overlay artifacts/root --registry --kernels --in bench/dom0/network.sh -- bash /lab/in/network.sh "$rounds" "$mib" < <(sleep 3600)
