#!/usr/bin/env bash
# Runs this project's tests with the guest in a plain virtual machine besides: hyphactr is published, an initrd made with virtio's
# modules, and Debian's kernel taken from the lab's cache. Arguments go to the test program.
set -euo pipefail
cd "$(dirname "$0")/../.."
source lab/parts.sh
kernel=$(part kernel)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dotnet publish src/hyphactr/hyphactr.csproj -c Release -r linux-x64 -o artifacts/publish/hyphactr -nologo -v quiet -clp:ErrorsOnly
HYPHA_MODULES="virtio_pci virtio_blk virtio_console" \
  scripts/make-initrd.sh "$work/initrd" artifacts/publish/hyphactr/hyphactr "$kernel/modules/lib/modules/$(cat "$kernel/version")"
dotnet build tests/Hypha.Guest.Tests -nologo -v quiet -clp:ErrorsOnly
HYPHA_TEST_KERNEL=$kernel/vmlinuz HYPHA_TEST_INITRD=$work/initrd \
  dotnet tests/Hypha.Guest.Tests/bin/Debug/net10.0/Hypha.Guest.Tests.dll -noLogo -noColor "$@"
