#!/bin/bash
# bench/network-lab.sh's part in dom0: network.sh ROUNDS MIB
set -eu
rounds=$1 mib=$2 image=registry.local:5000/busybox:latest
sysctl -qw net.ipv4.ping_group_range="0 2147483647"

# A server of each kind; one connection each at a time.
socat -u TCP-LISTEN:7000,fork,reuseaddr OPEN:/dev/null,wronly &
while true; do head -c "${mib}M" /dev/zero | socat -u - TCP-LISTEN:7002,reuseaddr 2>/dev/null; done &
feeder=$!
trap 'kill $feeder $(jobs -p) 2>/dev/null' EXIT

# In the guest: seconds for so many bytes up and down, and the round trip.
inside="now() { cut -d' ' -f1 /proc/uptime; }; for i in 1 2 3 4 5 6 7 8 9 10; do ping -c 1 -W 2 \$1 >/dev/null && break; done
for r in \$(seq $rounds); do
a=\$(now); head -c ${mib}M /dev/zero | nc \$1 7000; b=\$(now); nc \$1 7002 </dev/null >/dev/null; c=\$(now)
echo up \$a \$b; echo down \$b \$c; ping -q -c 20 -i 0.1 \$1 | sed -n 's|.*= [0-9.]*/\([0-9.]*\)/.*|ping \1|p'; done"

measure() { # NAME ADDRESS [launch's options]
  local name=$1 address=$2; shift 2
  hyphactl launch --insecure --name bench "$@" "$image" sh -c "$inside" sh "$address" >/dev/null
  if [ "$name" = kernel ]; then
    local vif
    for _ in $(seq 100); do vif=$(ls /sys/class/net | grep '^vif' | head -n 1) && [ -n "$vif" ] && break; sleep 0.1; done
    ip addr add 10.75.0.1/16 dev "$vif"; ip link set "$vif" up
  fi
  timeout 400 hyphactl logs -f bench 2>/dev/null | awk -v name="$name" -v mib="$mib" '
    function sorted(list, n,   i, j, t) { for (i = 1; i < n; i++) for (j = i + 1; j <= n; j++) if (list[j] + 0 < list[i] + 0) { t = list[i]; list[i] = list[j]; list[j] = t } }
    function show(what, unit, list, n) { if (!n) { print name, what, "-"; return } sorted(list, n); printf "%s %s %.1f (%.1f to %.1f) %s\n", name, what, list[int((n + 1) / 2)], list[1], list[n], unit }
    $1 == "up" { up[++u] = mib * 8.388608 / ($3 - $2) } $1 == "down" { down[++d] = mib * 8.388608 / ($3 - $2) } $1 == "ping" { rtt[++p] = $2 }
    END { show("up", "Mbit/s", up, u); show("down", "Mbit/s", down, d); show("ping", "ms", rtt, p) }'
  hyphactl destroy bench >/dev/null
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
