#!/usr/bin/env bash
# The part of bench/guest.sh that runs in dom0.
set -euo pipefail
source /lab/in/common.sh
mib=64

rate() { awk -v us="$1" -v mib="$2" 'BEGIN { printf "%.1f MiB/s", mib / (us / 1e6) }'; }
median() { sort -n | awk '{ v[NR] = $1 } END { printf "%.1f ms (%.1f to %.1f)", v[int((NR + 1) / 2)] / 1000, v[1] / 1000, v[NR] / 1000 }'; }
launch() { hyphactl launch --insecure -m 256 "$@"; }
launch --attach --rm "$image" true </dev/null >/dev/null 2>&1
squashfs=$(ls /var/lib/hypha/images/*/image.squashfs)
config() { # NAME MODE: a guest of xl's whose init does one thing
  printf 'name="%s"\nkernel="/lab/in/kernels/debian"\nramdisk="/lab/in/xl-initrd"\nmemory=256\nvcpus=1\ncmdline="console=hvc0 quiet peer=%s"\ndisk=["format=raw,vdev=xvda,access=r,target=%s"]\n' \
    "$1" "$2" "$squashfs" >"/tmp/$1.cfg"
}

# A shell in a container, by its standard streams.
coproc shell { exec hyphactl launch --insecure -m 256 --attach --rm -i "$image" sh; }; shell_pid=$!
say() { printf '%s\n' "$*" >&"${shell[1]}"; }
say 'echo ready'; read -r _ <&"${shell[0]}"
for round in 1 2 3; do
  start=$(now)
  say "dd if=/dev/zero bs=64k count=$((mib * 16)) 2>/dev/null"
  head -c $((mib << 20)) <&"${shell[0]}" >/dev/null
  echo "attach, from the container: $(rate $(($(now) - start)) $mib)"
done
for round in 1 2 3; do
  say "head -c $((mib << 20)) >/dev/null; echo got"
  sleep 0.2
  start=$(now)
  head -c $((mib << 20)) /dev/zero >&"${shell[1]}"
  read -r _ <&"${shell[0]}"
  echo "attach, to the container: $(rate $(($(now) - start)) $mib)"
done
say exit; wait "$shell_pid" || true

# 4 MiB to the guest's console while somebody follows it, by the guest's own clock.
took() { awk '/^took/ { printf "%.1f MiB/s\n", 4 / ($3 - $2); exit }'; }
launch --name flood "$image" sh -c 'mknod /hvc c 229 0; dd if=/dev/zero bs=64k count=64 2>/dev/null | tr "\0" x >/tmp/x; sleep 3
  read -r start _ </proc/uptime; dd if=/tmp/x of=/hvc bs=4k 2>/dev/null; read -r end _ </proc/uptime; echo "took $start $end"' >/dev/null
hyphactl console --follow flood >/tmp/flood.console
echo "console, hyphad and hyphactl console: $(hyphactl logs flood | took), $(($(wc -c </tmp/flood.console) >> 20)) MiB seen"
hyphactl destroy flood >/dev/null
config flood flood
xl create -q /tmp/flood.cfg
script -qfec 'xl console flood' /tmp/flood.console </dev/null >/dev/null & peer_pid=$!
for _ in $(seq 600); do grep -q ^took /tmp/flood.console && break; sleep 0.1; done
echo "console, xenconsoled and xl console: $(took </tmp/flood.console), $(($(wc -c </tmp/flood.console) >> 20)) MiB seen"
xl destroy flood; wait "$peer_pid" 2>/dev/null || true

# keys PROCESS: a letter typed, until it is back.
keys() {
  local -n process=$1
  local start letter
  for _ in $(seq 100); do
    start=$(now)
    printf k >&"${process[1]}"
    IFS= read -r -n 1 -t 10 letter <&"${process[0]}" || return 1
    echo $(($(now) - start))
    sleep 0.05
  done
}
coproc typed { exec script -qfec "hyphactl launch --insecure -m 256 --attach --rm --name typed $image cat" /dev/null; }; typed_pid=$!
for _ in $(seq 300); do hyphactl list 2>/dev/null | grep -q typed && break; sleep 0.1; done; sleep 8
while IFS= read -r -n 1 -t 1 _ <&"${typed[0]}"; do :; done
keys typed >/tmp/keys; echo "key there and back, hyphactl: $(median </tmp/keys)"
hyphactl destroy typed >/dev/null; wait "$typed_pid" 2>/dev/null || true
config keys keys
xl create -q /tmp/keys.cfg
coproc peer2 { exec script -qfec 'xl console keys' /dev/null; }; peer2_pid=$!
sleep 8; while IFS= read -r -n 1 -t 1 _ <&"${peer2[0]}"; do :; done
keys peer2 >/tmp/keys; echo "key there and back, xl console: $(median </tmp/keys)"
xl destroy keys; wait "$peer2_pid" 2>/dev/null || true

# A guest at rest for a minute: all its context switches, by its own count, and what it costs the host.
pid=$(pgrep -x hyphad)
ticks() { awk '{ print ($14 + $15) * 10 }' /proc/"$pid"/stat; } # ms
launch --name idle "$image" sh -c 'sleep 5; grep ctxt /proc/stat; sleep 60; grep ctxt /proc/stat; sleep 1000' >/dev/null
sleep 15; before=$(ticks) time=$(xl list idle | awk 'END { print $NF }'); sleep 60
after=$(ticks); sleep 15
echo "idle for 60 s: guest switches $(hyphactl logs idle | awk '{ print n++ ? $2 - first : ""; first = $2 }' | tail -n 1), hyphad $((after - before)) ms, vCPU seconds $(xl list idle | awk -v t="$time" 'END { print $NF - t }')"
hyphactl destroy idle >/dev/null
config idle idle
xl create -q /tmp/idle.cfg
coproc peer3 { exec script -qfec 'xl console idle' /dev/null; }; peer3_pid=$!
first='' second=''
while IFS= read -r -t 120 line <&"${peer3[0]}"; do
  case $line in ctxt*) line=${line//[^0-9]/}; [ -n "$first" ] && { second=$line; break; }; first=$line ;; esac
done
echo "idle for 60 s, xl's guest with busybox as init: guest switches $((second - first))"
xl destroy idle; wait "$peer3_pid" 2>/dev/null || true

for kernel in /lab/in/kernels/*; do
  for memory in $(seq 20 4 120); do
    if timeout 60 hyphactl launch --insecure -k "$kernel" -m "$memory" --attach --rm "$image" true </dev/null >/dev/null 2>&1; then
      echo "least memory of busybox with the kernel $(basename "$kernel"): $memory MiB"; break
    fi
    hyphactl destroy --all >/dev/null 2>&1 || true
  done
done
