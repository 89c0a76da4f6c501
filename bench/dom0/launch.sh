#!/usr/bin/env bash
# The part of bench/launch.sh that runs in dom0: launch.sh ROUNDS GUESTS.
set -euo pipefail
source /lab/in/common.sh
rounds=$1 guests=$2

seconds() { awk -v us="$1" 'BEGIN { printf "%.3f", us / 1e6 }'; }
# timed COMMAND…: its wall time in seconds is $took.
timed() { local start end; start=$(now); "$@" >/tmp/out 2>/tmp/err || { cat /tmp/out /tmp/err >&2; return 1; }; end=$(now); took=$(seconds $((end - start))); }
summary() { printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END { printf "%.3f (%.3f to %.3f)", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2, v[1], v[NR] }'; }
ratio() { awk -v a="${1%% *}" -v b="${2%% *}" 'BEGIN { printf "%.3f", a / b }'; }
row() { printf '%-52s %24s %24s %8s\n' "$1" "$2" "$3" "$(ratio "$2" "$3")"; }
# A guest just started still boots on the processors that the next is measured on: wait until all have come to rest.
settle() {
  local before after
  after=$(xl list | awk 'NR > 2 { t += $NF } END { print t + 0 }')
  for _ in $(seq 60); do
    before=$after; sleep 1; after=$(xl list | awk 'NR > 2 { t += $NF } END { print t + 0 }')
    [ "$before" != "$after" ] || return 0
  done
}
# What a destroyed guest leaves to do (memory to scrub, scripts of xl's) is not the next launch's.
rest() { sleep 3; }
free_kib() { awk '/MemAvailable/ { print $2 }' /proc/meminfo; }
free_xen_mib() { xl info | awk '/^free_memory/ { print $3 }'; }
config() { # NAME KERNEL INITRD MIB DISK…
  local name=$1 kernel=$2 initrd=$3 memory=$4 disks='' letter=a disk; shift 4
  for disk in "$@"; do disks+="${disks:+, }'format=raw,vdev=xvd$letter,access=r,target=$disk'"; letter=b; done
  printf 'name="%s"\nkernel="%s"\nramdisk="%s"\nmemory=%s\nvcpus=1\ncmdline="console=hvc0 quiet"\ndisk=[%s]\n' "$name" "$kernel" "$initrd" "$memory" "$disks" >"/tmp/$name.cfg"
}

initrd=/var/lib/hypha/default/initrd
# The first use of a kernel and of the image is not what is measured.
launch() { hyphactl launch --insecure "$@"; }
kernels=()
for kernel in debian-kernel hypha-kernel hypha-vmlinux; do
  [ -f "/lab/in/$kernel" ] || continue
  kernels+=("$kernel")
  ln -sf "/lab/in/$kernel" "/tmp/$kernel"
  launch -k "/tmp/$kernel" --attach --rm "$image" true </dev/null >/dev/null 2>&1
done
# Debian's, not packed: what hyphad's cache keeps of it.
cp "$(ls -S /var/lib/hypha/kernels/*.elf | head -n 1)" /tmp/debian-vmlinux
kernels+=(debian-vmlinux)
launch -k /tmp/debian-vmlinux --attach --rm "$image" true </dev/null >/dev/null 2>&1
squashfs=$(ls /var/lib/hypha/images/*/image.squashfs)

printf '%-52s %24s %24s %8s\n' "seconds: median (least to most), $rounds rounds" Hypha xl ratio
for kernel in "${kernels[@]}"; do
  ours=() inside=() theirs=()
  for _ in $(seq "$rounds"); do
    timed launch -k "/tmp/$kernel" -m 256 --timing --name bench "$image" sleep 100000
    ours+=("$took")
    inside+=("$(awk '/all of hyphad/ { print $NF == "ms" ? $(NF - 1) / 1000 : $(NF - 1) }' /tmp/err)")
    cp /tmp/err /tmp/phases
    settle
    cp "/var/lib/hypha/containers/$(cat /tmp/out)/bundle.img" /tmp/bundle.img
    hyphactl destroy bench >/dev/null; rest
    config xl "/tmp/$kernel" "$initrd" 256 "$squashfs" /tmp/bundle.img
    timed xl create -q /tmp/xl.cfg
    theirs+=("$took")
    settle
    xl destroy xl; rest
  done
  row "launch, $kernel, the whole command" "$(summary "${ours[@]}")" "$(summary "${theirs[@]}")"
  row "launch, $kernel, hyphad alone" "$(summary "${inside[@]}")" "$(summary "${theirs[@]}")"
done
echo; echo "phases of one launch:"; sed -n '/PHASE/,$p' /tmp/phases | sed 's/^/  /'; echo

# first_line COMMAND…: seconds until it prints "the first line".
first_line() {
  local start line
  start=$(now)
  while IFS= read -r line; do
    case $line in *"the first line"*) took=$(seconds $(($(now) - start))); return 0 ;; esac
  done < <("$@" 2>&1)
  return 1
}
for kernel in "${kernels[@]}"; do
  ours=() theirs=()
  for _ in $(seq "$rounds"); do
    first_line launch -k "/tmp/$kernel" -m 256 --attach --rm "$image" echo the first line </dev/null
    ours+=("$took")
    for _ in $(seq 100); do [ -n "$(hyphactl list -a -q)" ] || break; sleep 0.1; done
    config xl "/tmp/$kernel" /lab/in/xl-initrd 256 "$squashfs"
    first_line script -qec 'xl create -c /tmp/xl.cfg' /dev/null </dev/null
    theirs+=("$took")
    xl destroy xl; rest
  done
  row "the container's first line, $kernel" "$(summary "${ours[@]}")" "$(summary "${theirs[@]}")"
done

echo
rest; xen=$(free_xen_mib) dom0=$(free_kib) times=()
for n in $(seq "$guests"); do
  timed launch -m 96 --name "g$n" "$image" sleep 100000
  times+=("$took"); settle
done
echo "$guests guests of 96 MiB one after the other, each: ${times[*]}"
pid=$(pgrep -x hyphad)
awk -v n="$guests" '/VmRSS|RssAnon|VmHWM/ { printf "hyphad with %d guests, %s %.1f MiB\n", n, $1, $2 / 1024 }' "/proc/$pid/status"
awk -v n="$guests" -v a="$dom0" -v b="$(free_kib)" 'BEGIN { printf "dom0 memory per guest: %.2f MiB\n", (a - b) / 1024 / n }'
awk -v n="$guests" -v a="$xen" -v b="$(free_xen_mib)" 'BEGIN { printf "hypervisor memory per guest besides its own: %.2f MiB\n", (a - b) / n - 96 }'
timed hyphactl destroy --all; echo "destroying all $guests: $took s"

start=$(now); for n in $(seq 10); do launch -m 96 --name "r$n" "$image" sleep 100000 >/dev/null 2>&1; done
row_time=$(seconds $(($(now) - start))); hyphactl destroy --all >/dev/null
start=$(now); for n in $(seq 10); do launch -m 96 --name "s$n" "$image" sleep 100000 >/dev/null 2>&1 & done; wait
echo "10 launched in a row: $row_time s; at once: $(seconds $(($(now) - start))) s"
hyphactl destroy --all >/dev/null

rest; xen=$(free_xen_mib) dom0=$(free_kib) times=()
for n in $(seq "$guests"); do
  config "x$n" /tmp/debian-vmlinux "$initrd" 96 "$squashfs" /tmp/bundle.img
  timed xl create -q "/tmp/x$n.cfg"
  times+=("$took"); settle
done
echo "xl create, $guests guests one after the other, each: ${times[*]}"
awk -v n="$guests" -v a="$dom0" -v b="$(free_kib)" 'BEGIN { printf "dom0 memory per guest of xl: %.2f MiB\n", (a - b) / 1024 / n }'
for n in $(seq "$guests"); do xl destroy "x$n"; done
