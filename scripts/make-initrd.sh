#!/usr/bin/env bash
# Makes the guest's initrd: hyphactr as /init and the kernel modules that a modular kernel needs to be a container's.
# The same input gives the same bytes.
set -euo pipefail

usage() {
  cat >&2 <<'EOF'
usage: scripts/make-initrd.sh OUTPUT HYPHACTR [MODULES]

MODULES is a kernel's module directory (/lib/modules/VERSION) or an unpacked kernel package that holds exactly one. Without it the
kernel must have everything built in. HYPHA_MODULES names modules to take besides.
EOF
  exit 2
}
[ $# -eq 2 ] || [ $# -eq 3 ] || usage
output=$(realpath -m "$1") hyphactr=$2 modules=${3:-}

# What the init needs: the image's and bundle's disks, the overlay, the channel (event channels and grants).
wanted=(xen-blkfront squashfs overlay xen-evtchn xen-gntalloc xen-gntdev)
# What containers expect, as far as the kernel has it.
wanted+=(xen-netfront ${HYPHA_MODULES:-})

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
chmod 755 "$tree"
mkdir -p "$tree"/{dev,proc,sys,run,lib/modules}
install -m 755 "$hyphactr" "$tree/init"

# module_directory PATH: the directory with modules.dep.bin's sources, for a module directory or an unpacked package.
module_directory() {
  local found
  if [ -d "$1/kernel" ]; then echo "$1"; return; fi
  for found in "$1"/lib/modules/* "$1"/usr/lib/modules/*; do
    [ -d "$found/kernel" ] && { echo "$found"; return; }
  done
  echo "make-initrd.sh: $1 holds no kernel modules" >&2
  return 1
}

if [ -n "$modules" ]; then
  directory=$(module_directory "$modules")
  version=$(basename "$directory")
  # A base of our own: the package's modules.dep is made when it is installed, which it is not.
  base=$(mktemp -d)
  trap 'rm -rf "$tree" "$base"' EXIT
  mkdir -p "$base/lib/modules"
  if [ -e "$directory/modules.dep" ]; then
    ln -s "$(realpath "$directory")" "$base/lib/modules/$version"
  else
    cp -as "$(realpath "$directory")" "$base/lib/modules/$version"
    depmod -b "$base" "$version"
  fi
  for module in "${wanted[@]}"; do
    # Prints dependencies before the module; nothing for what is built in.
    modprobe -d "$base" -S "$version" --show-depends --ignore-install "$module" 2>/dev/null | sed -n 's/^insmod \([^ ]*\).*/\1/p' || true
  done | awk '!seen[$0]++' >"$base/order"
  while read -r file; do
    name=$(basename "$file")
    case $name in
      *.xz) xz -dc "$file" >"$tree/lib/modules/${name%.xz}"; name=${name%.xz} ;;
      *.zst) zstd -qdc "$file" >"$tree/lib/modules/${name%.zst}"; name=${name%.zst} ;;
      *.gz) gzip -dc "$file" >"$tree/lib/modules/${name%.gz}"; name=${name%.gz} ;;
      *) cp -L "$file" "$tree/lib/modules/$name" ;;
    esac
    chmod 644 "$tree/lib/modules/$name"
    echo "$name" >>"$tree/lib/modules/hypha.order"
  done <"$base/order"
fi

find "$tree" -exec touch -h -d @0 {} +
mkdir -p "$(dirname "$output")"
( cd "$tree" && find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort | cpio --quiet --reproducible --owner=0:0 -o -H newc ) >"$output.new"
mv "$output.new" "$output"
