#!/usr/bin/env bash
# An image on disk to a squashfs: hyphactl image pack against skopeo + umoci + mksquashfs, at equal compression (zstd 3), in one run.
#   bench/images.sh HYPHACTL [OCI-LAYOUT]      without a layout: Debian minbase, one gzip layer, made on the spot
# Prints wall s, CPU s, peak MiB of the largest process, MiB written besides the result, MiB of the result, and the ratios.
set -euo pipefail
hyphactl=$(realpath "${1:?usage: bench/images.sh HYPHACTL [OCI-LAYOUT]}")
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
layout=${2:-$work/layout}
[ $# -gt 1 ] || {
  mmdebstrap --variant=minbase --quiet bookworm "$work/tree.tar"
  umoci init --layout "$layout" && umoci new --image "$layout:t"
  umoci raw add-layer --image "$layout:t" "$work/tree.tar"
  rm "$work/tree.tar"
}

cat > "$work/measure.py" <<'P'
import os, resource, subprocess, sys, time
start = time.monotonic()
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
use = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{time.monotonic() - start:.2f} {use.ru_utime + use.ru_stime:.2f} {use.ru_maxrss // 1024} {use.ru_oublock // 2048}")
sys.exit(status)
P

sync
read -r wall cpu memory written < <(python3 "$work/measure.py" "$hyphactl" image pack --from "oci:$layout" -o "$work/ours.squashfs")
sync
read -r chain_wall chain_cpu chain_memory chain_written < <(python3 "$work/measure.py" sh -ec "
  skopeo --insecure-policy copy -q oci:$layout oci:$work/copy:t
  umoci unpack --image $work/copy:t $work/bundle
  mksquashfs $work/bundle/rootfs $work/chain.squashfs -comp zstd -Xcompression-level 3 -no-progress -quiet")
mib() { echo $(($(stat -c %s "$1") >> 20)); }
ours=$(mib "$work/ours.squashfs") chain=$(mib "$work/chain.squashfs")
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf (b > 0 ? "%.2f" : "-"), a / (b > 0 ? b : 1) }'; }
printf '%-22s %8s %8s %10s %12s %10s\n' '' 'wall s' 'CPU s' 'peak MiB' 'written MiB' 'result MiB'
printf '%-22s %8s %8s %10s %12s %10s\n' 'hyphactl image pack' "$wall" "$cpu" "$memory" "$((written - ours))" "$ours"
printf '%-22s %8s %8s %10s %12s %10s\n' 'skopeo+umoci+mksquashfs' "$chain_wall" "$chain_cpu" "$chain_memory" "$((chain_written - chain))" "$chain"
printf '%-22s %8s %8s %10s %12s %10s\n' 'ratio' "$(ratio "$wall" "$chain_wall")" "$(ratio "$cpu" "$chain_cpu")" "$(ratio "$memory" "$chain_memory")" \
  "$(ratio $((written - ours)) $((chain_written - chain)))" "$(ratio "$ours" "$chain")"
