#!/usr/bin/env bash
# The part of bench/guest.sh that runs in dom0.
set -euo pipefail
image=registry.local:5000/busybox:latest
mib=64

(/usr/sbin/hyphad >>/var/log/hyphad.log 2>&1 </dev/null &)
for _ in $(seq 300); do hyphactl list >/dev/null 2>&1 && break; sleep 0.1; done
now() { local t=$EPOCHREALTIME; echo "${t/./}"; }
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
coproc shell { exec hyphactl launch --insecure -m 256 --attach --rm -i "$image" sh; }
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
say 'mknod /hvc c 229 0; dd if=/dev/zero bs=64k count=64 2>/dev/null | tr "\0" x >/tmp/x; echo made'; read -r _ <&"${shell[0]}"
start=$(now); say 'dd if=/tmp/x of=/hvc bs=4k 2>/dev/null; echo written'; read -r _ <&"${shell[0]}"
echo "console, kept by hyphad: $(rate $(($(now) - start)) 4)"
say exit; wait "$shell_PID" || true

config flood flood
xl create -q /tmp/flood.cfg
coproc peer { exec script -qfec 'xl console flood' /dev/null; }
start=''
while IFS= read -r -t 60 line <&"${peer[0]}"; do
  case $line in *ready*) start=$(now) ;; *real*) echo "console, xenconsoled and xl console, in the guest: 4 MiB in $line" ;; *done*) break ;; esac
done
[ -z "$start" ] || echo "console, xenconsoled and xl console: $(rate $(($(now) - start)) 4)"
xl destroy flood; wait "$peer_PID" 2>/dev/null || true

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
coproc typed { exec script -qfec "hyphactl launch --insecure -m 256 --attach --rm --name typed $image cat" /dev/null; }
for _ in $(seq 300); do hyphactl list 2>/dev/null | grep -q typed && break; sleep 0.1; done; sleep 8
while IFS= read -r -n 1 -t 1 _ <&"${typed[0]}"; do :; done
echo "key there and back, hyphactl: $(keys typed | median)"
hyphactl destroy typed >/dev/null; wait "$typed_PID" 2>/dev/null || true
config keys keys
xl create -q /tmp/keys.cfg
coproc peer2 { exec script -qfec 'xl console keys' /dev/null; }
sleep 8; while IFS= read -r -n 1 -t 1 _ <&"${peer2[0]}"; do :; done
echo "key there and back, xl console: $(keys peer2 | median)"
xl destroy keys; wait "$peer2_PID" 2>/dev/null || true

# A guest at rest for a minute: all its context switches, by its own count, and what it costs the host.
pid=$(pgrep -x hyphad)
switches() { awk '/ctxt_switches/ { n += $2 } END { print n }' /proc/"$pid"/task/*/status; }
launch --name idle "$image" sh -c 'sleep 5; grep ctxt /proc/stat; sleep 60; grep ctxt /proc/stat; sleep 1000' >/dev/null
sleep 15; before=$(switches) time=$(xl list idle | awk 'END { print $NF }'); sleep 60
after=$(switches); sleep 15
echo "idle for 60 s: guest switches $(hyphactl logs idle | awk '{ print n++ ? $2 - first : ""; first = $2 }' | tail -n 1), hyphad switches $((after - before)), vCPU seconds $(xl list idle | awk -v t="$time" 'END { print $NF - t }')"
hyphactl destroy idle >/dev/null
config idle idle
xl create -q /tmp/idle.cfg
coproc peer3 { exec script -qfec 'xl console idle' /dev/null; }
first='' second=''
while IFS= read -r -t 120 line <&"${peer3[0]}"; do
  case $line in ctxt*) line=${line//[^0-9]/}; [ -n "$first" ] && { second=$line; break; }; first=$line ;; esac
done
echo "idle for 60 s, xl's guest with busybox as init: guest switches $((second - first))"
xl destroy idle; wait "$peer3_PID" 2>/dev/null || true

for kernel in /lab/in/kernels/*; do
  for memory in $(seq 20 4 120); do
    if timeout 60 hyphactl launch --insecure -k "$kernel" -m "$memory" --attach --rm "$image" true </dev/null >/dev/null 2>&1; then
      echo "least memory of busybox with the kernel $(basename "$kernel"): $memory MiB"; break
    fi
    hyphactl destroy --all >/dev/null 2>&1 || true
  done
done
