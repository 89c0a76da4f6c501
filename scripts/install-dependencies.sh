#!/usr/bin/env bash
# Installs what building and testing need from Debian, and nothing that is there already.
set -euo pipefail

packages=(
  # NativeAOT links with clang or gcc against zlib's headers
  clang lld zlib1g-dev
  # images: packing, and the tools that tests hold it against
  libsquashfs1 libsquashfs-dev squashfs-tools libzstd1 zstd xz-utils lz4 bzip2 skopeo umoci docker-registry busybox-static attr libcap2-bin
  # the lab
  qemu-system-x86 mmdebstrap e2fsprogs cpio kmod iproute2 procps ca-certificates openssh-client binutils curl
  # the gateway's tests: clients and servers, and who reads captures
  tshark iputils-ping socat traceroute bind9-dnsutils dnsmasq-base nginx-light python3
  # Xen's public headers, the oracle of the structure tests
  gcc libc6-dev libxen-dev linux-libc-dev
)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
echo "installing ${missing[*]}" >&2
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
