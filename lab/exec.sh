#!/usr/bin/env bash
# Runs a command in the dom0 of a lab that `lab/run.sh --session DIR` keeps up: lab/exec.sh [--tty] [--timeout S] DIR -- COMMAND…
# Exits with its status; 124 after the timeout, 125 when the lab is gone. Several may run at once.
set -euo pipefail

tty=0 timeout=0 socket=''
while [ $# -gt 0 ]; do
  case $1 in
    --tty) tty=1; shift ;;
    --timeout) timeout=$2; shift 2 ;;
    --socket) socket=$2; shift 2 ;;
    --) shift; break ;;
    -*) sed -n 2,3p "$0" >&2; exit 2 ;;
    *) socket=$(cat "$1/ready") || exit 125; shift ;;
  esac
done

ssh=(ssh -F none -S "$socket" -o LogLevel=ERROR -o BatchMode=yes)
[ "$tty" = 0 ] || ssh+=(-tt)
ssh+=(dom0)
if [ $# -gt 0 ]; then
  printf -v command '%q ' "$@"
  # With the timeout the command ends in dom0, too, not only our end of it.
  [ "$timeout" = 0 ] || command="timeout --foreground -k 5 $timeout $command"
  # "exit" keeps the shell there, so that a signal that ends the command becomes a status.
  ssh+=("export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; $command; exit \$?")
fi

status=0
"${ssh[@]}" || status=$?
# 255 is the command's own when the lab is still there.
if [ "$status" -eq 255 ] && ! ssh -F none -S "$socket" -O check dom0 2>/dev/null; then status=125; fi
[ "$status" -ne 124 ] || [ "$timeout" = 0 ] || echo "lab: ended after $timeout s" >&2
exit "$status"
