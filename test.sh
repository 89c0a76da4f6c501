#!/usr/bin/env bash
# Everything that must pass. --unit: without root and without the lab; --e2e: in the lab alone.
# The last line counts: "N passed, N failed".
set -euo pipefail
cd "$(dirname "$0")"

unit=1 e2e=1
case "${1:-}" in
  '') ;;
  --unit) e2e=0 ;;
  --e2e) unit=0 ;;
  *) echo "usage: ./test.sh [--unit | --e2e]" >&2; exit 2 ;;
esac

passed=0 failed=0 skipped=0
# Runs one test program of the project and adds its counts.
run_tests() {
  local project=$1 name log; shift
  name=$(basename "$project")
  log=$(mktemp)
  local status=0
  dotnet "$project/bin/Debug/net10.0/$name.dll" -noLogo -noColor "$@" 2>&1 | tee "$log" || status=$?
  local line total errors fails skips
  line=$(grep -E 'Total: +[0-9]+' "$log" | tail -n 1 || true)
  total=$(sed -nE 's/.*Total: +([0-9]+).*/\1/p' <<<"$line"); total=${total:-0}
  errors=$(sed -nE 's/.*Errors: +([0-9]+).*/\1/p' <<<"$line"); errors=${errors:-0}
  fails=$(sed -nE 's/.*Failed: +([0-9]+).*/\1/p' <<<"$line"); fails=${fails:-0}
  skips=$(sed -nE 's/.*Skipped: +([0-9]+).*/\1/p' <<<"$line"); skips=${skips:-0}
  rm -f "$log"
  # A program that died, or that counted nothing though it should, is a failure of its own.
  if [ "$status" -ne 0 ] && [ $((errors + fails)) -eq 0 ] || [ "$total" -eq 0 ]; then
    echo "$name: exit status $status, $total tests" >&2
    errors=$((errors + 1)) total=$((total + 1))
  fi
  passed=$((passed + total - errors - fails - skips))
  skipped=$((skipped + skips))
  failed=$((failed + errors + fails))
}

dotnet build Hypha.slnx -nologo -v quiet -clp:ErrorsOnly

if [ "$e2e" = 1 ]; then
  source lab/parts.sh
  debian=$(part kernel)
  export HYPHA_TEST_VMLINUZ=$debian/vmlinuz
fi
vm_tests=Hypha.Guest.Tests.Vm
if [ "$unit" = 1 ]; then
  for project in tests/*.Tests; do
    case $(basename "$project") in
      Hypha.Lab.Tests) ;;
      Hypha.Guest.Tests) run_tests "$project" -namespace- $vm_tests ;;
      *) run_tests "$project" ;;
    esac
  done
fi
if [ "$e2e" = 1 ]; then
  ./build.sh
  # The guest's init by itself, in a plain virtual machine: its disks and its host are virtio's there.
  initrd=$(mktemp)
  HYPHA_MODULES="virtio_pci virtio_blk virtio_console" scripts/make-initrd.sh "$initrd" artifacts/root/usr/lib/hypha/hyphactr \
    "$debian/modules/lib/modules/$(cat "$debian/version")"
  HYPHA_TEST_KERNEL=$debian/vmlinuz HYPHA_TEST_INITRD=$initrd run_tests tests/Hypha.Guest.Tests -namespace $vm_tests
  rm -f "$initrd"
  tests/probes.sh
  run_tests tests/Hypha.Lab.Tests
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
