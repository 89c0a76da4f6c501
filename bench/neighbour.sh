#!/usr/bin/env bash
# What a guest notices of a neighbour that floods: two guests in network namespaces, served by one loop of one process (bench/Neighbours). The victim pings the
# gateway and the world and makes requests at a low, steady rate: alone, and with the neighbour flooding in one way after the other. Beside it the control
# (the same flood into an interface that nobody serves, or past the gateway straight to the world: what the processors' load alone does) and the kernel's NAT.
# The gateway has processor 0 for itself; both guests, the world and the flood share processor 1, the flood at the lowest priority, the victim's requests and
# their server at a high one.
#
#   bench/neighbour.sh [--rounds N] [--seconds S] [--only FLOOD]… [--no-kernel] [--policy FILE] [--program FILE]      as root, on two processors
#   FLOOD: syn-world syn-silent syn-gateway udp-port udp-ports udp-answers echo-gateway echo-world dns fragments malformed streams streams-in churn
#   The flood that was worst comes once more with a policy for the flooder; FILE in place of one with limits.
#   --program is another build of bench/Neighbours, to compare two.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=3 seconds=2 floods=() kernel=1 policy='' program=''
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) rounds=$2; shift 2 ;;
    --seconds) seconds=$2; shift 2 ;;
    --only) floods+=("$2"); shift 2 ;;
    --no-kernel) kernel=0; shift ;;
    --policy) policy=$(realpath "$2"); shift 2 ;;
    --program) program=$(realpath "$2"); shift 2 ;;
    *) sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done
[ ${#floods[@]} -gt 0 ] || floods=(syn-world syn-silent syn-gateway udp-port udp-ports udp-answers echo-gateway echo-world dns fragments malformed streams streams-in churn)
for tool in iperf3 wrk nginx nft gcc taskset ping; do
  command -v "$tool" >/dev/null || { echo "bench/neighbour.sh: $tool is missing: apt-get install iperf3 wrk nginx-light nftables gcc iputils-ping" >&2; exit 1; }
done

work=$(mktemp -d) prefix=hn$$
world=${prefix}w host=${prefix}h victim=${prefix}v flooder=${prefix}f nowhere=${prefix}n
finish() {
  local n p
  for n in "$flooder" "$victim" "$nowhere" "$host" "$world"; do
    for p in $(ip netns pids "$n" 2>/dev/null); do kill -9 "$p" 2>/dev/null || true; done
    ip netns del "$n" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap finish EXIT

if [ -z "$program" ]; then
  program=artifacts/publish/neighbours/Neighbours
  dotnet publish bench/Neighbours -c Release -r linux-x64 -o "${program%/*}" -nologo -v quiet -clp:ErrorsOnly
fi
gcc -O2 -o "$work/traffic" bench/traffic.c
[ -n "$policy" ] || { policy=$work/policy; printf 'limit packets 5000\nlimit new 200\n' >"$policy"; }
printf 'function delay() return 4 end\n' >"$work/steady.lua" # ms between a connection's answer and its next request

gateway_mac=02:00:48:59:50:01 victim_mac=02:00:00:00:00:02 flooder_mac=02:00:00:00:00:03

# --- the world
in_world() { taskset -c 1 ip netns exec "$world" "$@"; }
ip netns add "$world"; ip -n "$world" link set lo up
cat >"$work/nginx.conf" <<CONF
daemon off; pid $work/nginx.pid; error_log /dev/null; worker_processes 1; user root;
events { worker_connections 16384; }
http { access_log off; client_body_temp_path $work/b; keepalive_requests 100000000; server { listen 80 backlog=4096; location / { return 200 "hello world\n"; } } }
CONF
in_world bash -c "ulimit -n 32768; exec nginx -e /dev/null -c $work/nginx.conf" >/dev/null 2>&1 </dev/null &
# The victim's server is its own, and goes before the one that the flood keeps busy: what is measured is the way between.
sed 's/listen 80/listen 81/; s/nginx.pid/victims.pid/' "$work/nginx.conf" >"$work/victims.conf"
in_world nice -n -15 nginx -e /dev/null -c "$work/victims.conf" >/dev/null 2>&1 </dev/null &
in_world iperf3 -s >/dev/null 2>&1 </dev/null &
in_world "$work/traffic" answer 53 >/dev/null 2>&1 </dev/null &
in_world "$work/traffic" answer 7 >/dev/null 2>&1 </dev/null &
in_world "$work/traffic" sink 9 >/dev/null 2>&1 </dev/null &

# What comes to a guest or to the world is work of theirs: not of the processor of who sent it.
steer() { ip netns exec "$1" bash -c "echo 2 >/sys/class/net/$2/queues/rx-0/rps_cpus"; }

# serve hyphanet|kernel [POLICY]: two guests; the flooder has an interface that nobody serves, too (eth1), and one straight to the world (eth2).
gateway=''
serve() {
  local n
  for n in "$host" "$victim" "$flooder" "$nowhere"; do ip netns add "$n"; ip -n "$n" link set lo up; done
  ip -n "$host" link add vworld type veth peer name eth0 netns "$world"
  ip -n "$host" link add vvictim type veth peer name eth0 address $victim_mac netns "$victim"
  ip -n "$host" link add vflooder type veth peer name eth0 address $flooder_mac netns "$flooder"
  ip -n "$nowhere" link add vnobody type veth peer name eth1 netns "$flooder"
  ip -n "$world" link add vdirect type veth peer name eth2 netns "$flooder"
  ip -n "$host" addr add 192.0.2.1/24 dev vworld; ip -n "$world" addr add 192.0.2.2/24 dev eth0
  ip -n "$victim" addr add 10.75.0.2/24 dev eth0; ip -n "$flooder" addr add 10.75.0.3/24 dev eth0
  ip -n "$world" addr add 198.51.100.1/24 dev vdirect; ip -n "$flooder" addr add 198.51.100.2/24 dev eth2
  for n in vworld vvictim vflooder; do ip -n "$host" link set "$n" up; done
  ip -n "$world" link set eth0 up; ip -n "$world" link set vdirect up; ip -n "$nowhere" link set vnobody up
  for n in eth0 eth1 eth2; do ip -n "$flooder" link set "$n" up; done
  ip -n "$victim" link set eth0 up
  ip -n "$victim" route add default via 10.75.0.1; ip -n "$flooder" route add default via 10.75.0.1
  steer "$victim" eth0; steer "$flooder" eth0; steer "$world" eth0
  for n in "$host" "$flooder"; do ip netns exec "$n" sysctl -qw net.ipv4.ip_local_port_range="1024 65535"; done
  ip netns exec "$host" sysctl -qw net.ipv4.ping_group_range="0 2147483647"
  if [ "$1" = kernel ]; then
    ip -n "$host" link add bridge address $gateway_mac type bridge
    ip -n "$host" link set vvictim master bridge; ip -n "$host" link set vflooder master bridge
    ip -n "$host" addr add 10.75.0.1/24 dev bridge; ip -n "$host" link set bridge up
    ip netns exec "$host" sysctl -qw net.ipv4.ip_forward=1
    ip netns exec "$host" nft 'table ip bench { chain post { type nat hook postrouting priority 100; oifname "vworld" masquerade; }; }'
  else
    taskset -c 0 ip netns exec "$host" "$program" 10.75.0.1 192.0.2.2 "vvictim,$victim_mac,10.75.0.2/24" \
      "vflooder,$flooder_mac,10.75.0.3/24${2:+,$2}" >"$work/ready" 2>"$work/gateway.log" </dev/null &
    gateway=$!
    for _ in $(seq 200); do grep -q ready "$work/ready" && break; sleep 0.01; done
  fi
  ip netns exec "$victim" "$work/traffic" answers 192.0.2.2 80 10 && return 0
  echo "$1 does not answer" >&2; cat "$work/gateway.log" >&2; return 1
}

unserve() {
  local n p
  if [ -n "$gateway" ]; then kill "$gateway" 2>/dev/null || true; wait "$gateway" 2>/dev/null || true; gateway=''; fi
  [ -z "${HYPHA_BENCH_DEBUG:-}" ] || cat "$work/gateway.log" >&2
  for n in "$flooder" "$victim" "$nowhere" "$host"; do
    for p in $(ip netns pids "$n"); do kill -9 "$p" 2>/dev/null || true; done
    ip netns del "$n"
  done
  # The kernel takes its time with a namespace, and so with the other ends of its links.
  for n in eth0 vdirect; do ip -n "$world" link del "$n" 2>/dev/null || true; done
}

record() { echo "$1 $2 $3 $4" >>"$work/figures"; } # FLOOD WHO WHAT VALUE

# flood KIND gateway|control: begins it.
flooding=()
flood() {
  local device=eth0 to=192.0.2.2 kind=$1
  [ "$2" = gateway ] || { device=eth1 to=198.51.100.1; }
  begun=$(date +%s%N)
  in_flooder() { exec taskset -c 1 nice -n 19 ip netns exec "$flooder" bash -c 'ulimit -n 16384; exec "$@"' - "$@"; } # in the background alone
  case $kind in
    streams) in_flooder iperf3 -c "$to" -P 8 -t 1000 >/dev/null 2>&1 </dev/null & flooding=($!) ;;
    streams-in) in_flooder iperf3 -c "$to" -P 100 -R -t 1000 >/dev/null 2>&1 </dev/null & flooding=($!) ;;
    churn)
      in_flooder "$work/traffic" hold "$to" 80 2000 >"$work/held" 2>&1 </dev/null & flooding=($!)
      in_flooder wrk -t 1 -c 32 -d 1000 -H 'Connection: close' "http://$to/" >/dev/null 2>&1 </dev/null & flooding+=($!) ;;
    *)
      [ "$kind" != syn-silent ] || { kind=syn-world; ip netns exec "$flooder" nft 'table ip bench { chain out { type filter hook output priority 0; tcp flags & rst == rst drop; }; }'; }
      in_flooder "$work/traffic" flood "$kind" "$device" $flooder_mac $gateway_mac 10.75.0.3 10.75.0.1 192.0.2.2 >"$work/sent" 2>&1 </dev/null & flooding=($!) ;;
  esac
  sleep 0.5
}

# calm FLOOD WHO: ends it, and says how much there was of it.
calm() {
  local p
  for p in "${flooding[@]}"; do
    kill -0 "$p" 2>/dev/null || echo "the flood $1 ended by itself: $(head -c 200 "$work/sent" 2>/dev/null)" >&2
    kill "$p" 2>/dev/null || true; wait "$p" 2>/dev/null || true
  done
  case $1 in
    streams* | churn) ;;
    *) record "$1" "$2" sent $(($(cat "$work/sent") * 1000 / (($(date +%s%N) - begun) / 1000000))) ;;
  esac
}

# round_trips FLOOD WHO WHAT ADDRESS: p50, p99 in µs, and how many of a hundred were lost.
round_trips() {
  taskset -c 1 ip netns exec "$victim" timeout 60 ping -n -W 1 -c $((seconds * 200)) -i 0.002 "$4" >"$work/ping" || true
  sed -nE 's/.*time=([0-9.]+) ms/\1/p' "$work/ping" | sort -n >"$work/times"
  percentiles "$1" "$2" "$3" "$(awk '{ t[NR] = $1 * 1000 } END { if (NR) printf "%d %d", t[int(NR * 0.5 + 0.999)], t[int(NR * 0.99 + 0.999)] }' "$work/times")"
  record "$1" "$2" "$3-lost" "$(awk -v n=$((seconds * 200)) 'END { printf "%.1f", 100 * (n - NR) / n }' "$work/times")"
}

requests() { # FLOOD WHO
  taskset -c 1 ip netns exec "$victim" timeout 60 nice -n -15 wrk -t 1 -c 4 -d "$seconds" --latency -s "$work/steady.lua" http://192.0.2.2:81/ >"$work/wrk" || true
  percentiles "$1" "$2" requests "$(awk '
    function us(t) { return t ~ /us$/ ? t + 0 : t ~ /ms$/ ? t * 1000 : t ~ /m$/ ? t * 60000000 : t * 1000000 }
    $1 == "50%" { a = us($2) } $1 == "99%" { b = us($2) } END { if (b) printf "%d %d", a, b }' "$work/wrk")"
}

percentiles() { # FLOOD WHO WHAT "P50 P99"
  [ -n "$4" ] || return 0
  record "$1" "$2" "$3-p50" "${4% *}"; record "$1" "$2" "$3-p99" "${4#* }"
}

measure() { # FLOOD WHO
  round_trips "$1" "$2" gateway 10.75.0.1
  round_trips "$1" "$2" world 192.0.2.2
  requests "$1" "$2"
}

# one FLOOD WHO: WHO is hyphanet, control, limited or kernel.
one() {
  echo "round $round: $1, $2" >&2
  if case $2 in kernel) serve kernel ;; limited) serve hyphanet "$policy" ;; *) serve hyphanet ;; esac; then
    if [ "$1" = alone ]; then
      measure "$1" "$2"
    else
      flood "$1" "$([ "$2" = control ] && echo control || echo gateway)"
      measure "$1" "$2"
      calm "$1" "$2"
    fi
  fi
  unserve
}

for round in $(seq "$rounds"); do
  one alone hyphanet
  [ "$kernel" = 0 ] || one alone kernel
  for kind in "${floods[@]}"; do
    one "$kind" control
    one "$kind" hyphanet
    [ "$kernel" = 0 ] || [ "$kind" = dns ] || one "$kind" kernel # which has no resolver
  done
done
worst=$(awk '$2 == "hyphanet" && $1 != "alone" && $3 == "requests-p99" { print $4, $1 }' "$work/figures" | sort -n | tail -n 1)
worst=${worst#* }
if [ -n "$worst" ]; then for round in $(seq "$rounds"); do one "$worst" limited; done; fi

awk -v floods="${floods[*]}" -v worst="$worst" -v kernel="$kernel" '
  { value[$1, $2, $3, ++count[$1, $2, $3]] = $4 }
  function median(f, w, k,   i, j, t, c) {
    c = count[f, w, k]; if (!c) return ""
    for (i = 1; i < c; i++) for (j = i + 1; j <= c; j++) if (value[f, w, k, j] + 0 < value[f, w, k, i] + 0) { t = value[f, w, k, i]; value[f, w, k, i] = value[f, w, k, j]; value[f, w, k, j] = t }
    return value[f, w, k, int((c + 1) / 2)]
  }
  function both(f, w, k,   lost) {
    if (median(f, w, k "-p99") == "") return "-"
    lost = median(f, w, k "-lost")
    return median(f, w, k "-p50") " / " median(f, w, k "-p99") (lost + 0 > 0 ? " (" lost " % lost)" : "")
  }
  function ratio(f, w, k, f2, w2,   a, b) {
    a = median(f, w, k "-p99"); b = median(f2, w2, k "-p99")
    return a == "" || b == "" || b + 0 == 0 ? "-" : sprintf("%.2f", a / b)
  }
  function row(f, k, who, name) {
    printf "| %s | %s | %s | %s | %s | %s |", name, (median(f, who, "sent") == "" ? "-" : median(f, who, "sent")), both(f, who, k), both(f, "control", k), ratio(f, who, k, "alone", "hyphanet"), ratio(f, who, k, f, "control")
    if (kernel) printf " %s | %s |", both(f, "kernel", k), ratio(f, "kernel", k, "alone", "kernel")
    print ""
  }
  END {
    print "The gateway alone on processor 0; guests, world and flood on processor 1, the flood at nice 19. p50 / p99 in µs, medians of the rounds; ratios are of the p99."
    n = split(floods, names, " ")
    split("gateway:ping to the gateway|world:ping to the world|requests:keep-alive requests, 4 connections, one each 4 ms", tables, "|")
    for (t = 1; t in tables; t++) {
      split(tables[t], part, ":")
      printf "\n| %s: flood | frames/s | hyphanet | control | to alone | to control |%s\n", part[2], kernel ? " kernel NAT | to alone |" : ""
      printf "| --- | --- | --- | --- | --- | --- |%s\n", kernel ? " --- | --- |" : ""
      printf "| none | | %s | | | |%s\n", both("alone", "hyphanet", part[1]), kernel ? " " both("alone", "kernel", part[1]) " | |" : ""
      for (i = 1; i <= n; i++) row(names[i], part[1], "hyphanet", names[i])
      if (worst != "") row(worst, part[1], "limited", worst " with limits")
    }
  }' "$work/figures"
