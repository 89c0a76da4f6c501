#!/usr/bin/env bash
# make-peer-initrd.sh OUT: what boots the image without Hypha, for xl: a shell script that mounts what hyphactr mounts, and busybox.
set -euo pipefail
out=$(realpath -m "$1")
cd "$(dirname "$0")/../.."
source lab/parts.sh
prepare_registry
debian=$(part kernel)
layout=$(lab/registry.sh --layouts | sed -n 's/^busybox //p')
tree=$(mktemp -d); trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/root/bin"
for layer in "$layout"/blobs/sha256/*; do
  tar -xOf "$layer" --wildcards '*bin/busybox' >"$tree/root/bin/busybox" 2>/dev/null && [ -s "$tree/root/bin/busybox" ] && break
done
chmod 755 "$tree/root/bin/busybox"
scripts/make-initrd.sh "$tree/script" bench/dom0/init "$debian/modules/lib/modules/$(cat "$debian/version")"
(cd "$tree/root" && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) >"$tree/busybox"
cat "$tree/script" "$tree/busybox" >"$out"
