#!/usr/bin/env bash
# Makes the programs that check single libraries in the lab's dom0, on the real hypervisor, and what they need: artifacts/probes/.
set -euo pipefail
cd "$(dirname "$0")/.."
source lab/parts.sh
into=artifacts/probes
mkdir -p "$into"
for probe in Hypha.Xen.Probe:xen-probe Hypha.Containers.Probe:containers-probe; do
  echo "building ${probe%:*}" >&2
  dotnet publish "tests/${probe%:*}" -c Release -r linux-x64 -o "artifacts/publish/${probe%:*}" -nologo -v quiet -clp:ErrorsOnly
  install -m 755 "artifacts/publish/${probe%:*}/${probe#*:}" "$into/"
done
tests/Hypha.Containers.Probe/make-initrd.sh "$(part kernel)/modules" "$into/containers-initrd"
