#!/usr/bin/env bash
# make-initrd.sh MODULES-DIRECTORY OUT: an initrd for the probe's guests, of busybox and the block front end's module.
set -euo pipefail
modules=$1 out=$(realpath -m "$2")
root=$(mktemp -d); trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,dev,proc,sys}
cp "$(command -v busybox)" "$root/bin/busybox"
cp "$(find "$modules" -name 'xen-blkfront.ko*' | head -n 1)" "$root/"
cat >"$root/init" <<'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
echo PROBE hello
insmod /xen-blkfront.ko*
probe=$(sed -n 's/.*probe=\([a-z]*\).*/\1/p' /proc/cmdline)
case $probe in
  disks)
    for disk in xvda xvdb; do
      i=0; while [ ! -b /dev/$disk ] && [ $i -lt 300 ]; do usleep 100000; i=$((i+1)); done
      echo "PROBE $disk $(head -n 1 /dev/$disk)"
    done
    echo 0 >/sys/block/xvda/ro 2>/dev/null
    blockdev --setrw /dev/xvda 2>/dev/null
    if echo overwritten | dd of=/dev/xvda bs=512 conv=fsync,notrunc 2>/dev/null; then echo PROBE write done; else echo PROBE write refused; fi ;;
  echo)
    echo PROBE ready
    while read -r word; do echo "PROBE heard $word"; done ;;
  flood)
    i=0; while [ $i -lt 40 ]; do dd if=/dev/zero bs=64k count=1 2>/dev/null | tr '\0' x | fold; i=$((i+1)); done
    echo; echo PROBE flooded ;;
  crash)
    echo PROBE crashing
    echo c >/proc/sysrq-trigger ;;
esac
poweroff -f
END
chmod +x "$root/init"
( cd "$root" && find . | cpio -o -H newc --quiet ) >"$out"
