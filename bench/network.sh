#!/usr/bin/env bash
# The gateway against what people use instead, in network namespaces of its own: the kernel's NAT (MTU 1500), slirp4netns and pasta (MTU 65520 and
# 1500), and hyphanet (MTU 1500), each between a guest and a world that the host reaches by a veth. Prints medians, spread and the ratio to the kernel's NAT;
# "-" is what one of them cannot do.
#
#   bench/network.sh [--rounds N] [--seconds S] [--only NAME]…      as root; NAME: kernel slirp65520 slirp1500 pasta65520 pasta1500 hyphanet
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=3 seconds=3 contenders=()
brief=1 # seconds for what needs no more
descriptors=$(ulimit -Hn)
[ "$descriptors" != unlimited ] && [ "$descriptors" -le 200000 ] || descriptors=200000
idle=20000 # connections held
[ "$descriptors" -gt 22000 ] || idle=$((descriptors - 2000))
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) rounds=$2; shift 2 ;;
    --seconds) seconds=$2; shift 2 ;;
    --only) contenders+=("$2"); shift 2 ;;
    *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done
[ ${#contenders[@]} -gt 0 ] || contenders=(kernel slirp65520 slirp1500 pasta65520 pasta1500 hyphanet)
for program in iperf3 wrk nginx nft; do
  command -v "$program" >/dev/null || { echo "bench/network.sh: $program is missing: apt-get install iperf3 wrk nginx-light nftables slirp4netns passt gcc" >&2; exit 1; }
done

work=$(mktemp -d) prefix=hb$$
world=${prefix}w host=${prefix}h guest=${prefix}g
# shellcheck disable=SC2329
finish() {
  local n p
  for n in "$guest" "$host" "$world"; do
    for p in $(ip netns pids "$n" 2>/dev/null); do kill -9 "$p" 2>/dev/null || true; done
    ip netns del "$n" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap finish EXIT

in_world() { ip netns exec "$world" timeout 120 "$@"; }
in_host() { ip netns exec "$host" timeout 120 "$@"; }
in_guest() { ip netns exec "$guest" timeout 120 "$@"; }

# --- the world: servers for all contenders
for n in "$world" "$host"; do ip netns add "$n"; ip -n "$n" link set lo up; done
ip -n "$host" link add vworld type veth peer name eth0 netns "$world"
ip -n "$host" addr add 192.0.2.1/24 dev vworld; ip -n "$host" link set vworld up
ip -n "$world" addr add 192.0.2.2/24 dev eth0; ip -n "$world" link set eth0 up
ip -n "$host" route add default via 192.0.2.2
ip -n "$host" addr add 2001:db8:2::1/64 dev vworld nodad; ip -n "$world" addr add 2001:db8:2::2/64 dev eth0 nodad
ip -n "$host" route add default via 2001:db8:2::2
cat >"$work/nginx.conf" <<EOF
daemon off; pid $work/nginx.pid; error_log /dev/null; worker_processes 1; user root;
events { worker_connections 65536; }
http { access_log off; client_body_temp_path $work/b; keepalive_requests 100000000; server { listen 80 backlog=4096; listen [::]:80; location / { return 200 "hello world\n"; } } }
EOF
ip netns exec "$world" bash -c "ulimit -n $descriptors; exec nginx -e /dev/null -c $work/nginx.conf" >/dev/null 2>&1 </dev/null &
ip netns exec "$world" iperf3 -s >/dev/null 2>&1 </dev/null &

gcc -O1 -o "$work/traffic" bench/traffic.c
printf 'function delay() return 4 end\n' >"$work/steady.lua" # ms between a connection's answer and its next request

gateway=''
# start NAME: a guest's namespace, served by NAME; sets $gateway to its process, empty for the kernel.
start() {
  local mtu=${1##*[a-z]} begun
  ip netns add "$guest"; ip -n "$guest" link set lo up
  ip netns exec "$guest" sysctl -qw net.ipv4.ip_local_port_range="1024 65535"
  ip netns exec "$host" sysctl -qw net.ipv4.ip_local_port_range="1024 65535" net.ipv4.ping_group_range="0 2147483647"
  begun=$(date +%s%N) gateway=''
  case $1 in
    kernel | hyphanet)
      ip -n "$host" link add vguest type veth peer name eth0 netns "$guest"
      ip -n "$host" link set vguest up
      ip -n "$guest" addr add 10.75.0.2/24 dev eth0; ip -n "$guest" addr add fd75::2/64 dev eth0 nodad
      # Who asks for the gateway before it is there asks again soon, not after a second.
      ip netns exec "$guest" sysctl -qw net.ipv4.neigh.eth0.retrans_time_ms=10 net.ipv6.neigh.eth0.retrans_time_ms=10 net.ipv6.conf.eth0.accept_ra=0
      ip -n "$guest" link set eth0 up; ip -n "$guest" route add default via 10.75.0.1; ip -n "$guest" route add default via fd75::1
      begun=$(date +%s%N)
      if [ "$1" = kernel ]; then
        ip -n "$host" addr add 10.75.0.1/24 dev vguest; ip -n "$host" addr add fd75::1/64 dev vguest nodad
        ip netns exec "$host" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
        ip netns exec "$host" nft 'table inet bench { chain post { type nat hook postrouting priority 100; oifname "vworld" masquerade; }; }'
      else
        ip netns exec "$host" bash -c "ulimit -n $descriptors; exec artifacts/root/usr/sbin/hyphanet attach --interface vguest --address 10.75.0.2/24 --gateway 10.75.0.1 --address6 fd75::2/64 --gateway6 fd75::1" >"$work/gateway.log" 2>&1 </dev/null &
        gateway=$!
      fi ;;
    slirp*)
      ip netns exec "$host" bash -c "ulimit -n $descriptors; exec slirp4netns --configure --enable-ipv6 --mtu=$mtu --netns-type=path /run/netns/$guest tap0" >"$work/gateway.log" 2>&1 </dev/null &
      gateway=$! ;;
    pasta*)
      ip netns exec "$host" bash -c "ulimit -n $descriptors; exec pasta --config-net --no-map-gw -f -m $mtu --runas 0 --netns /run/netns/$guest" >"$work/gateway.log" 2>&1 </dev/null &
      gateway=$! ;;
  esac
  until [ -n "$(ip -n "$guest" route show default)" ]; do # slirp4netns and pasta make the guest's interface themselves
    is_alive "$1" "$begun" || return 1
    sleep 0.001
  done
  until in_guest "$work/traffic" answers 192.0.2.2 80 1; do is_alive "$1" "$begun" || return 1; done
  record "$1" start $((($(date +%s%N) - begun) / 1000000))
}

is_alive() { # NAME SINCE
  if { [ -z "$gateway" ] || kill -0 "$gateway" 2>/dev/null; } && [ $(($(date +%s%N) - $2)) -lt 20000000000 ]; then return 0; fi
  echo "$1 does not answer" >&2; cat "$work/gateway.log" >&2
  return 1
}

stop() {
  local p
  [ -z "$gateway" ] || { kill "$gateway" 2>/dev/null || true; wait "$gateway" 2>/dev/null || true; }
  for p in $(ip netns pids "$guest"); do kill -9 "$p" 2>/dev/null || true; done
  ip netns del "$guest"
  ip -n "$host" link del vguest 2>/dev/null || true
  ip netns exec "$host" nft delete table inet bench 2>/dev/null || true
}

record() { echo "$1 $2 $3" >>"$work/figures"; }
resident() { awk '/VmRSS/ { print $2 }' "/proc/$1/status"; }
ticks() { [ -z "$gateway" ] && echo 0 || awk '{ print $14 + $15 }' "/proc/$gateway/stat"; }

# stream NAME WHAT ADDRESS [iperf3's options]: Mbit/s, and the gateway's processor seconds for a gigabyte.
stream() {
  local name=$1 what=$2 to=$3 before; shift 3
  before=$(ticks)
  in_guest iperf3 -J -c "$to" -t "$seconds" "$@" >"$work/iperf.json" 2>/dev/null || true
  local bytes
  bytes=$(awk -F: '/"sum_received"/ { found = 1 } found && /"bytes"/ { gsub(/[ ,]/, "", $2); print $2; exit }' "$work/iperf.json")
  [ -n "$bytes" ] && [ "$bytes" -gt 0 ] || { record "$name" "$what" 0; return 0; }
  record "$name" "$what" $((bytes * 8 / seconds / 1000000))
  [ -z "$gateway" ] || record "$name" "$what-cpu" "$(awk -v t=$(($(ticks) - before)) -v b="$bytes" 'BEGIN { printf "%.2f", t / 100 / (b / 1e9) }')"
}

# packets NAME WHAT [iperf3's options]: datagrams of 64 bytes that arrived in a second, of as many as the sender can.
packets() {
  local name=$1 what=$2; shift 2
  in_guest iperf3 -J -c 192.0.2.2 -t "$brief" -u -l 64 -b 0 "$@" >"$work/iperf.json" 2>/dev/null || true
  record_if "$name" "$what" "$(awk -F: -v s="$brief" '/"sum_received"/ { found = 1 } found && /"bytes"/ { gsub(/[ ,]/, "", $2); if ($2 + 0 > 0) printf "%d", $2 / 64 / s; exit }' "$work/iperf.json")"
}

record_if() { [ -z "$3" ] || record "$@"; }

# What a request takes while there are few of them: four connections, each waits 4 ms before its next.
latency() {
  in_guest wrk -t 1 -c 4 -d "$brief" --latency -s "$work/steady.lua" http://192.0.2.2/ >"$work/wrk" || true
  local p
  for p in 50 99; do
    record_if "$1" "request-p$p" "$(awk -v p="$p%" '
      function us(t) { return t ~ /us$/ ? t + 0 : t ~ /ms$/ ? t * 1000 : t ~ /m$/ ? t * 60000000 : t * 1000000 }
      $1 == p { printf "%d", us($2) }' "$work/wrk")"
  done
}

round_trips() {
  in_guest ping -n -c 500 -i 0.002 -W 1 192.0.2.2 | sed -nE 's/.*time=([0-9.]+) ms/\1/p' | sort -n >"$work/times" || true
  local p
  for p in 50 99; do record_if "$1" "ping-p$p" "$(awk -v p=$p '{ t[NR] = $1 * 1000 } END { if (NR) printf "%d", t[int(NR * p / 100 + 0.999)] }' "$work/times")"; done
}

requests() { # NAME WHAT [wrk's options]
  local name=$1 what=$2; shift 2
  record "$name" "$what" "$(in_guest wrk -t 1 -c 32 -d "$seconds" "$@" http://192.0.2.2/ | awk '/Requests\/sec/ { printf "%d", $2 }')"
}

measure() {
  [ -z "$gateway" ] || record "$1" rest "$(resident "$gateway")"
  stream "$1" out 192.0.2.2
  stream "$1" in 192.0.2.2 -R
  stream "$1" out8 192.0.2.2 -P 8
  if in_guest "$work/traffic" answers 2001:db8:2::2 80 3; then
    stream "$1" out6 2001:db8:2::2
    stream "$1" in6 2001:db8:2::2 -R
  fi
  stream "$1" udp-out 192.0.2.2 -u -b 1G -l 1400
  stream "$1" udp-in 192.0.2.2 -u -b 1G -l 1400 -R
  packets "$1" pps-out
  packets "$1" pps-in -R
  requests "$1" connections -H 'Connection: close'
  requests "$1" keepalive
  latency "$1"
  round_trips "$1"
}

# What a connection costs that only stands there: to a gateway that has done nothing else, as what it let go of would be taken again.
idle() {
  [ -n "$gateway" ] || return 0
  local before open
  before=$(resident "$gateway")
  ip netns exec "$guest" bash -c "ulimit -n $descriptors; exec $work/traffic hold 192.0.2.2 80 $idle" >"$work/held" 2>/dev/null </dev/null &
  for _ in $(seq 300); do [ -s "$work/held" ] && break; sleep 0.1; done
  open=$(cat "$work/held")
  [ "${open:-0}" -gt 100 ] || return 0
  record "$1" held "$open"
  record "$1" idle $((($(resident "$gateway") - before) * 1024 / open))
}

for round in $(seq "$rounds"); do
  for name in "${contenders[@]}"; do
    echo "round $round: $name" >&2
    if start "$name"; then
      measure "$name"
    fi
    stop
    [ "$round" = "$rounds" ] || continue
    if start "$name"; then idle "$name"; fi
    stop
  done
done

awk -v contenders="${contenders[*]}" '
  { value[$1, $2, ++count[$1, $2]] = $3 }
  function median(n, w,   i, j, t, c) {
    c = count[n, w]; if (!c) return ""
    for (i = 1; i < c; i++) for (j = i + 1; j <= c; j++) if (value[n, w, j] + 0 < value[n, w, i] + 0) { t = value[n, w, i]; value[n, w, i] = value[n, w, j]; value[n, w, j] = t }
    return value[n, w, int((c + 1) / 2)]
  }
  function cell(n, w,   m, k) {
    m = median(n, w); if (m == "") return "-"
    k = median("kernel", w)
    return m (count[n, w] > 1 ? " (" value[n, w, 1] " to " value[n, w, count[n, w]] ")" : "") (k != "" && k + 0 > 0 && n != "kernel" ? sprintf(" = %.2f", m / k) : "")
  }
  END {
    split("out:TCP guest to host, Mbit/s|in:TCP host to guest, Mbit/s|out8:8 streams to host, Mbit/s|out6:TCP over IPv6 guest to host, Mbit/s|in6:TCP over IPv6 host to guest, Mbit/s|udp-out:UDP of 1,400 bytes, 1,000 offered, to host, Mbit/s|udp-in:UDP to guest, Mbit/s|pps-out:UDP of 64 bytes to host, packets a second|pps-in:UDP of 64 bytes to guest, packets a second|out-cpu:processor s for a GB, out|in-cpu:processor s for a GB, in|connections:connections with a request, a second|keepalive:keep-alive requests a second|request-p50:a request of few, p50 µs|request-p99:a request of few, p99 µs|ping-p50:ping to the world, p50 µs|ping-p99:ping to the world, p99 µs|start:until it answers, ms|rest:resident at rest, KiB|held:connections held|idle:bytes for each that is idle", rows, "|")
    columns = split(contenders, names, " ")
    printf "| what |"; for (i = 1; i <= columns; i++) printf " %s |", names[i]; print ""
    printf "| --- |"; for (i = 1; i <= columns; i++) printf " --- |"; print ""
    for (r = 1; r in rows; r++) { split(rows[r], part, ":"); printf "| %s |", part[2]; for (i = 1; i <= columns; i++) printf " %s |", cell(names[i], part[1]); print "" }
  }' "$work/figures"
