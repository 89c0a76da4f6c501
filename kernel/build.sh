#!/usr/bin/env bash
# Builds the guest's kernel from Debian's linux-source-6.1: kernel/build.sh [-jN]. Leaves kernel/target/{kernel,vmlinux,config}:
# kernel is a bzImage (lz4), vmlinux the same not packed. Takes minutes; the other cores' work goes first (nice).
set -euo pipefail
cd "$(dirname "$0")"
jobs=${1:--j$(nproc)}
case $jobs in -j[0-9]*) ;; *) echo "usage: kernel/build.sh [-jN]" >&2; exit 2 ;; esac

missing=()
for package in make gcc flex bison bc libelf-dev lz4 xz-utils binutils cpio; do
  dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "kernel: installing ${missing[*]}" >&2
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

mkdir -p work target
if [ ! -d work/linux-source-6.1 ]; then
  echo "kernel: fetching Debian's source" >&2
  rm -rf work/package; mkdir -p work/package
  ( cd work && apt-get -o APT::Sandbox::User=root download -qq linux-source-6.1 && dpkg -x linux-source-6.1_*.deb package && rm -f linux-source-6.1_*.deb )
  mkdir -p work/new && tar -C work/new -xf work/package/usr/src/linux-source-6.1.tar.xz
  mv work/new/linux-source-6.1 work/ && rm -rf work/new work/package
fi

build=$PWD/work/build
make_kernel=(nice -n 19 make -s -C work/linux-source-6.1 O="$build" ARCH=x86_64 KBUILD_BUILD_USER=hypha KBUILD_BUILD_HOST=hypha KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970')
mkdir -p "$build"
"${make_kernel[@]}" KCONFIG_ALLCONFIG="$PWD/config" allnoconfig

# An option whose dependencies are not met is dropped in silence: say so instead.
lost=$(grep -E '^CONFIG_[A-Z0-9_a-z]+=[^n]' config | grep -vxFf "$build/.config" || true)
if [ -n "$lost" ]; then
  printf 'kernel: not in the kernel although config asks for it:\n%s\n' "$lost" >&2
  exit 1
fi

echo "kernel: building" >&2
"${make_kernel[@]}" "$jobs" bzImage
objcopy --strip-all "$build/vmlinux" target/vmlinux.new
cp "$build/.config" target/config
mv target/vmlinux.new target/vmlinux
cp "$build/arch/x86/boot/bzImage" target/kernel.new
mv target/kernel.new target/kernel
ls -l target >&2

# Kept for other checkouts of the same configuration, the lab's tests for one (lab/parts.sh, guest_kernel).
kept=${HYPHA_LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/hypha/lab}
kept=$(dirname "$kept")/kernel-$(cat config build.sh | sha256sum | cut -c1-16)
rm -rf "$kept.new"
mkdir -p "$kept.new"
cp target/{kernel,vmlinux,config} "$kept.new/"
rm -rf "$kept"
mv "$kept.new" "$kept"
