#!/usr/bin/env bash
# Runs a command in a fresh dom0 of a real Xen host in QEMU. lab/run.sh --help says the rest.
set -euo pipefail

usage() {
  cat <<'END'
usage: lab/run.sh [OPTION…] [-- COMMAND…]

Boots Xen and a Debian dom0 in QEMU, runs COMMAND there, and exits with its status; 124 after --timeout, 125 when the lab
itself fails. Output, errors and input are COMMAND's. Without a command: a root shell. Nothing is left behind.

  --overlay DIR          lay DIR over dom0's / (several: in this order), e.g. artifacts/root
  --in FILE[:NAME]       put FILE into dom0 as /lab/in/NAME
  --out FILE[:HOSTPATH]  afterwards, copy FILE of dom0 (relative to /lab/out) to HOSTPATH (default: its name, here)
  --xen-tools            xl, xenstore-ls, … in dom0
  --xenconsoled          start xenconsoled there (with --xen-tools)
  --no-store             do not start xenstored
  --systemd              dom0's pid 1 is systemd, with udev, and starts what the overlays have enabled
  --xen 4.17|4.20        which hypervisor (default 4.17)
  --memory MIB           of the machine (default 4096)
  --dom0-memory MIB      of dom0 (default 1024)
  --cpus N               of the machine (default 2)
  --timeout S            end COMMAND after S seconds
  --tty                  give COMMAND a terminal
  --with COMMAND         run COMMAND (a shell's) on this machine beside the lab, in its network: what listens on
                         127.0.0.1 there is 10.0.2.2 (registry.local) in dom0. It is ended with the lab
  --kernels              put the kernels that guests may have into dom0 as /lab/in/kernels/{debian,hypha}; the latter where
                         kernel/build.sh was run
  --registry             a registry with busybox and debian beside the lab, registry.local:5000 in dom0
  --keep-log FILE        keep the consoles of Xen and dom0 in FILE
  --session DIR          instead of one command: write DIR/ready, and run what lab/exec.sh DIR brings until input ends
END
}

source "$(dirname "$0")/parts.sh"

overlays=() inputs=() outputs=() withs=()
xen_tools=0 registry=0 kernels=0 tty=0 timeout=0 log='' session='' version=4.17 memory=4096 dom0_memory=1024 cpus=2 dom0_options=''
arguments=("$@")
while [ $# -gt 0 ]; do
  case $1 in
    --overlay) overlays+=("$2"); shift 2 ;;
    --in) inputs+=("$2"); shift 2 ;;
    --out) outputs+=("$2"); shift 2 ;;
    --with) withs+=("$2"); shift 2 ;;
    --kernels) kernels=1; shift ;;
    --registry) registry=1 withs+=("exec $(printf %q "$lab/registry.sh") 5000"); shift ;;
    --xen-tools) xen_tools=1; shift ;;
    --xenconsoled) xen_tools=1 dom0_options+=' lab.xenconsoled'; shift ;;
    --systemd) dom0_options+=' lab.systemd net.ifnames=0 systemd.mask=e2scrub_reap.service systemd.mask=getty-static.service'; shift ;;
    --no-store) dom0_options+=' lab.store=none'; shift ;;
    --xen) version=$2; shift 2 ;;
    --memory) memory=$2; shift 2 ;;
    --dom0-memory) dom0_memory=$2; shift 2 ;;
    --cpus) cpus=$2; shift 2 ;;
    --timeout) timeout=$2; shift 2 ;;
    --tty) tty=1; shift ;;
    --keep-log) log=$2; shift 2 ;;
    --session) session=$2; shift 2 ;;
    -h | --help) usage; exit 0 ;;
    --) shift; break ;;
    *) usage >&2; exit 2 ;;
  esac
done
command=("$@")

# What the lab prepares, it prepares with the machine's network; what it boots has none but its own.
if [ -z "${LAB_NAMESPACE:-}" ]; then
  prepare "$version"
  [ "$registry" = 0 ] || prepare_registry
  export LAB_NAMESPACE=1
  if [ "$(id -u)" -eq 0 ]; then exec unshare --net -- "$0" "${arguments[@]}"
  else exec unshare --user --map-root-user --net -- "$0" "${arguments[@]}"; fi
fi
prepare "$version"
ip link set lo up

run=$(mktemp -d "${TMPDIR:-/tmp}/hypha-lab.XXXXXX")
[ -n "$log" ] || log=$run/console.log
: >"$log"
kept_log=$log pids=()

finish() {
  local status=$? pid
  trap - EXIT
  for pid in "${pids[@]}"; do kill -- "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "${pid#-}" 2>/dev/null || true; done
  [ -z "$session" ] || rm -f "$session/ready"
  rm -rf "$run"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# The lab's own failure: the consoles tell why.
fail() {
  say "$*"
  say "the end of the consoles of Xen and dom0:"
  tail -n 40 "$log" | sed 's/\r//g' >&2
  exit 125
}

if [ "$kernels" = 1 ]; then
  inputs+=("$kernel/vmlinuz:kernels/debian")
  ! own=$(guest_kernel) || inputs+=("$own/kernel:kernels/hypha")
fi

for with in "${withs[@]}"; do
  # A session of its own, so that all it starts ends with it.
  setsid setpriv --pdeathsig TERM bash -c "$with" </dev/null >>"$run/with.log" 2>&1 &
  pids+=("-$!")
done

# The disk with what is to be laid over dom0's root.
disks=()
{
  tree=$run/in; mkdir -p "$tree/lab/in"
  for input in "${inputs[@]}"; do
    file=${input%%:*} name=$(basename "$file")
    [ "$file" = "$input" ] || name=${input#*:}
    mkdir -p "$tree/lab/in/$(dirname "$name")"
    cp -Lr "$file" "$tree/lab/in/$name" || die "--in $input: cannot be read"
  done
  tar -C "$tree" --owner=0 --group=0 -cf "$run/in.tar" lab
  for overlay in "${overlays[@]}"; do
    [ -d "$overlay" ] || die "--overlay $overlay: no such folder"
    # Not the folder itself: dom0's / would get its mode.
    find "$overlay" -mindepth 1 -maxdepth 1 -printf '%P\0' |
      tar -C "$overlay" --owner=0 --group=0 -rf "$run/in.tar" --null --files-from -
  done
  case $dom0_options in *store=none*) ;; *) disks+=("$userspace/store.tar") ;; esac
  [ "$xen_tools" = 0 ] || disks+=("$userspace/tools.tar")
  disks+=("$run/in.tar")
}

# A software KVM would hang Xen: only a processor's own virtualisation counts.
if grep -qwE 'svm|vmx' /proc/cpuinfo && [ -w /dev/kvm ]; then
  machine=(-accel kvm -cpu host)
else
  # smap: QEMU's emulation reads a PV guest's iretq frame as a kernel access. rdtscp: PVH guests do not come up with it.
  machine=(-accel tcg,thread=multi -cpu max,-smap,-rdtscp,-erms,-fsrm,-xsave)
fi
port=2222 # in a network namespace of our own
qemu=(qemu-system-x86_64 "${machine[@]}" -smp "$cpus" -m "$memory" -nodefaults -display none -no-reboot -serial "file:$log"
  -drive "file=$dom0image/dom0.img,format=raw,if=virtio,cache=unsafe,snapshot=on"
  -netdev "user,id=net,hostfwd=tcp:127.0.0.1:$port-:22" -device virtio-net-pci,netdev=net,romfile=
  -device virtio-rng-pci
  -kernel "$hypervisor/xen" -append "console=com1 com1=115200,8n1 dom0_mem=${dom0_memory}M,max:${dom0_memory}M loglvl=warning guest_loglvl=warning spec-ctrl=eager-fpu"
  -initrd "$kernel/vmlinuz console=hvc0 quiet$dom0_options,$initramfs/initrd")
for disk in "${disks[@]}"; do
  qemu+=(-drive "file=$disk,format=raw,if=virtio,readonly=on")
done
TMPDIR=${TMPDIR:-/var/tmp} nice -n "${HYPHA_LAB_NICE:-0}" setpriv --pdeathsig KILL "${qemu[@]}" </dev/null >"$run/qemu.log" 2>&1 &
qemu_pid=$!
pids+=("$qemu_pid")

# 10 s on an idle machine, minutes on one that is busy building.
deadline=$((SECONDS + 900))
until grep -q '^lab: ready' "$log"; do
  kill -0 "$qemu_pid" 2>/dev/null || fail "QEMU ended: $(tail -n 3 "$run/qemu.log")"
  ! grep -q '^lab: failed' "$log" || fail "dom0 did not come up"
  [ "$SECONDS" -lt "$deadline" ] || fail "dom0 was not up within 900 s"
  read -rt 0.05 <> <(:) || true
done

ssh=(ssh -F none -S "$run/ssh" -o LogLevel=ERROR -o BatchMode=yes)
"${ssh[@]}" -M -N -f -i "$keys/user" -o IdentitiesOnly=yes -o UserKnownHostsFile="$keys/known" -o HostKeyAlias=dom0 \
  -o GlobalKnownHostsFile=/dev/null -o ControlPersist=yes -o ServerAliveInterval=0 -p "$port" root@127.0.0.1 </dev/null >>"$run/ssh.log" 2>&1 ||
  fail "dom0 cannot be reached: $(tail -n 2 "$run/ssh.log")"

if [ -n "$session" ]; then
  mkdir -p "$session"
  printf '%s\n' "$run/ssh" >"$session/ready.new"
  mv "$session/ready.new" "$session/ready"
  echo ready
  while read -r _; do :; done
  exit 0
fi

status=0
options=()
[ "$tty" = 0 ] || options+=(--tty)
[ "$timeout" = 0 ] || options+=(--timeout "$timeout")
if [ ${#command[@]} -eq 0 ]; then
  "$lab/exec.sh" "${options[@]}" --tty --socket "$run/ssh" || status=$?
else
  "$lab/exec.sh" "${options[@]}" --socket "$run/ssh" -- "${command[@]}" || status=$?
fi
if [ "$status" -eq 125 ] && ! kill -0 "$qemu_pid" 2>/dev/null; then fail "the lab ended while the command ran: $(tail -n 3 "$run/qemu.log")"; fi

for output in "${outputs[@]}"; do
  file=${output%%:*}
  path=$(basename "$file")
  [ "$file" = "$output" ] || path=${output#*:}
  case $file in /*) ;; *) file=/lab/out/$file ;; esac
  mkdir -p "$(dirname "$path")"
  "${ssh[@]}" dom0 "cat -- $(printf %q "$file")" </dev/null >"$path" || { say "--out $output: not in dom0"; [ "$status" -ne 0 ] || status=125; }
done
if [ "$status" -ne 0 ] && [ "$kept_log" != "$run/console.log" ]; then say "status $status; the consoles' log is $kept_log"; fi
exit "$status"
