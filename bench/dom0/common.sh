# Sourced by what runs in dom0: hyphad, up, and a clock.
image=registry.local:5000/busybox:latest

(/usr/sbin/hyphad >>/var/log/hyphad.log 2>&1 </dev/null &)
for _ in $(seq 300); do hyphactl list >/dev/null 2>&1 && break; sleep 0.1; done

now() { local t=$EPOCHREALTIME; echo "${t/./}"; } # us
