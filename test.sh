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
work=$(mktemp -d) log=$work/log
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT

# program PROJECT [OPTION…]: becomes the project's test program.
program() {
  local project=$1; shift
  exec dotnet "$project/bin/Debug/net10.0/$(basename "$project").dll" -noLogo -noColor "$@" 2>&1
}
# count PROJECT STATUS LOG: adds what the program said of its tests.
count() {
  local name line total errors fails skips
  name=$(basename "$1")
  line=$(grep -E 'Total: +[0-9]+' "$3" | tail -n 1 || true)
  total=$(sed -nE 's/.*Total: +([0-9]+).*/\1/p' <<<"$line"); total=${total:-0}
  errors=$(sed -nE 's/.*Errors: +([0-9]+).*/\1/p' <<<"$line"); errors=${errors:-0}
  fails=$(sed -nE 's/.*Failed: +([0-9]+).*/\1/p' <<<"$line"); fails=${fails:-0}
  skips=$(sed -nE 's/.*Skipped: +([0-9]+).*/\1/p' <<<"$line"); skips=${skips:-0}
  # A program that died, or that counted nothing though it should, is a failure of its own.
  if [ "$2" -ne 0 ] && [ $((errors + fails)) -eq 0 ] || [ "$total" -eq 0 ]; then
    echo "$name: exit status $2, $total tests" >&2
    errors=$((errors + 1)) total=$((total + 1))
  fi
  passed=$((passed + total - errors - fails - skips))
  skipped=$((skipped + skips))
  failed=$((failed + errors + fails))
}
run_tests() {
  local status=0
  program "$@" | tee "$log" || status=$?
  count "$1" "$status" "$log"
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
  # The guest's init by itself, in a plain virtual machine: its disks and its host are virtio's there. The lab keeps one processor busy, this the other.
  HYPHA_MODULES="virtio_pci virtio_blk virtio_console" scripts/make-initrd.sh "$work/initrd" artifacts/root/usr/lib/hypha/hyphactr \
    "$debian/modules/lib/modules/$(cat "$debian/version")"
  tests/probes.sh
  HYPHA_TEST_KERNEL=$debian/vmlinuz HYPHA_TEST_INITRD=$work/initrd program tests/Hypha.Guest.Tests -namespace $vm_tests >"$work/vm" & vm=$!
  run_tests tests/Hypha.Lab.Tests
  vm_status=0; wait "$vm" || vm_status=$?
  cat "$work/vm"
  count tests/Hypha.Guest.Tests "$vm_status" "$work/vm"
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
