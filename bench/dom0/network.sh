#!/bin/bash
# bench/network-lab.sh's part in dom0: network.sh ROUNDS MIB
set -eu
rounds=$1 mib=$2 blocks=$(($2 * 16)) images=registry.local:5000
sysctl -qw net.ipv4.ping_group_range="0 2147483647"

# A server of each kind, dd on the socket itself: filters and relays take longer than the network does, under emulation.
sink="dd of=/dev/null bs=64k count=$blocks iflag=fullblock status=none; echo"
socat TCP-LISTEN:7000,fork,reuseaddr SYSTEM:"$sink",nofork &
socat TCP-LISTEN:7002,fork,reuseaddr EXEC:"dd if=/dev/zero bs=64k count=$blocks status=none",nofork &
trap 'kill $(jobs -p) 2>/dev/null' EXIT

# In the guest, by bash: seconds for so many bytes up, until the server says that it has them, and down.
streams="now() { read -r t _ </proc/uptime; echo \$t; }
until (: <>/dev/tcp/\$1/7002) 2>/dev/null; do sleep 0.2; done
for r in \$(seq $rounds); do
exec 3<>/dev/tcp/\$1/7000; a=\$(now); dd if=/dev/zero bs=64k count=$blocks status=none >&3 && read -r _ <&3; b=\$(now); exec 3>&-
exec 3<>/dev/tcp/\$1/7002; c=\$(now); dd of=/dev/null bs=64k status=none <&3; d=\$(now); exec 3>&-
echo up \$a \$b; echo down \$c \$d; done"
# By busybox: the round trip.
pings="until ping -c 1 -W 2 \$1 >/dev/null; do :; done
for r in \$(seq $rounds); do ping -q -c 20 -i 0.1 \$1 | sed -n 's|.*= [0-9.]*/\([0-9.]*\)/.*|ping \1|p'; done"

run() { # NAME ADDRESS IMAGE PROGRAM…: its lines
  local name=$1 address=$2 image=$3 vif=; shift 3
  hyphactl launch --insecure --name bench "$images/$image:latest" "$@" "$image" "$address" >/dev/null
  if [ "$name" = kernel ]; then
    for _ in $(seq 100); do vif=$(ls /sys/class/net | grep '^vif' | head -n 1) && [ -n "$vif" ] && break; sleep 0.1; done
    ip addr add 10.75.0.1/16 dev "$vif"; ip link set "$vif" up
  fi
  timeout 300 hyphactl logs -f bench 2>/dev/null || echo "$name: $image did not end" >&2
  hyphactl destroy bench >/dev/null
}

measure() { # NAME ADDRESS
  { run "$1" "$2" debian bash -c "$streams"; run "$1" "$2" busybox sh -c "$pings"; } | awk -v name="$1" -v mib="$mib" '
    function sorted(list, n,   i, j, t) { for (i = 1; i < n; i++) for (j = i + 1; j <= n; j++) if (list[j] + 0 < list[i] + 0) { t = list[i]; list[i] = list[j]; list[j] = t } }
    function show(what, unit, list, n) { if (!n) { print name, what, "-"; return } sorted(list, n); printf "%s %s %.1f (%.1f to %.1f) %s\n", name, what, list[int((n + 1) / 2)], list[1], list[n], unit }
    $1 == "up" { up[++u] = mib * 8.388608 / ($3 - $2) } $1 == "down" { down[++d] = mib * 8.388608 / ($3 - $2) } $1 == "ping" { rtt[++p] = $2 }
    END { show("up", "Mbit/s", up, u); show("down", "Mbit/s", down, d); show("ping", "ms", rtt, p) }'
}

begin() { # [hyphad's options]
  pkill -x hyphad && while pgrep -x hyphad >/dev/null; do sleep 0.1; done
  (/usr/sbin/hyphad "$@" >>/var/log/hyphad.log 2>&1 </dev/null &)
  for _ in $(seq 600); do hyphactl list >/dev/null 2>&1 && return; sleep 0.1; done
  return 1
}

begin
(/usr/sbin/hyphanet >>/var/log/hyphanet.log 2>&1 </dev/null &)
sleep 1
measure direct 10.0.2.15
begin --netback
measure netback 10.0.2.15
pkill -x hyphanet; sleep 0.5
measure kernel 10.75.0.1
