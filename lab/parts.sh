# Sourced by the lab's scripts: where the cached parts lie, and how one comes to be.
# A part is a file or folder made by the function make_NAME in a folder of its own. Its key is the hash of that function's text and of
# what it reads, so that a change makes it anew; several runs at once make it once.

lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${HYPHA_LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/hypha/lab}
mkdir -p "$cache"

say() { echo "lab: $*" >&2; }
die() { echo "lab: $*" >&2; exit 125; }

# part NAME [INPUT…]: makes the part if need be, prints its folder. The function gets the (empty) folder; INPUTs only count for the key.
part() {
  local name=$1 key dir; shift
  key=$({ declare -f "make_$name"; echo "$*"; } | sha256sum | cut -c1-16)
  dir=$cache/$name-$key
  if [ ! -d "$dir" ]; then
    exec 8>"$cache/.$name.lock"
    flock 8
    if [ ! -d "$dir" ]; then
      say "preparing $name (once)"
      rm -rf "$dir.new"
      mkdir -p "$dir.new"
      # A subshell of its own: set -e does not hold inside a condition.
      ( set -euo pipefail; "make_$name" "$dir.new" ) >"$cache/$name.log" 2>&1 8>&- && mv "$dir.new" "$dir" || {
        tail -n 20 "$cache/$name.log" >&2
        die "cannot prepare $name; the whole log is $cache/$name.log"
      }
      # What the new one replaces goes, unless somebody used it within a day (another checkout may be at it).
      find "$cache" -maxdepth 1 -type d -name "$name-????????????????" ! -path "$dir" -mtime +1 -exec rm -rf {} + || true
    fi
    exec 8>&-
  fi
  touch "$dir"
  echo "$dir"
}

# The machine's own list of Debian's archive. The lab never names a server.
bookworm_sources() {
  local file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list; do
    [ -f "$file" ] && grep -q bookworm "$file" && grep -qi debian "$file" && echo "$file"
  done
  return 0
}

# unpack DIR PACKAGE…: downloads packages of the machine's archive and unpacks them into DIR; nothing is installed.
unpack() {
  local into=$1 debs; shift
  debs=$(mktemp -d)
  apt-cache "${apt_options[@]}" show "$1" >/dev/null 2>&1 || apt-get "${apt_options[@]}" update -qq
  ( cd "$debs" && apt-get "${apt_options[@]}" -o APT::Sandbox::User=root download -qq "$@" )
  mkdir -p "$into"
  for deb in "$debs"/*.deb; do dpkg -x "$deb" "$into"; echo "$(basename "$deb")" >>"$into/../packages"; done
  rm -rf "$debs"
}
apt_options=()

# The same archive one Debian later, for its Xen: a package list of its own beside the machine's, which stays as it is.
use_trixie() {
  local state=$cache/trixie-apt file
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$state/sources"
  for file in $(bookworm_sources); do
    sed 's/bookworm/trixie/g' "$file" >"$state/sources/$(basename "$file")"
  done
  : >"$state/status"
  apt_options=(-o Dir::State::Lists="$state/lists" -o Dir::Cache="$state/cache" -o Dir::State::status="$state/status"
    -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$state/sources")
  apt-get "${apt_options[@]}" update -qq
}

# --- the parts ---

make_xen417() {
  unpack "$1/x" xen-hypervisor-4.17-amd64
  zcat "$1/x/boot/xen-4.17-amd64.gz" >"$1/xen"
  rm -rf "$1/x"
}

make_xen420() {
  use_trixie
  unpack "$1/x" xen-hypervisor-4.20-amd64
  zcat "$1/x/boot/xen-4.20-amd64.gz" >"$1/xen"
  rm -rf "$1/x"
}

# Debian's kernel: vmlinuz, config and modules (with modules.dep), for dom0 and for guests.
make_kernel() {
  local package version
  package=$(apt-cache depends linux-image-amd64 2>/dev/null | sed -nE 's/ +Depends: (linux-image-[0-9].*)/\1/p' | head -n 1)
  if [ -z "$package" ]; then
    apt-get update -qq
    package=$(apt-cache depends linux-image-amd64 | sed -nE 's/ +Depends: (linux-image-[0-9].*)/\1/p' | head -n 1)
  fi
  unpack "$1/x" "$package"
  version=${package#linux-image-}
  mv "$1/x/boot/vmlinuz-$version" "$1/vmlinuz"
  mv "$1/x/boot/config-$version" "$1/config"
  mkdir -p "$1/modules/lib"
  mv "$1/x/lib/modules" "$1/modules/lib/"
  echo "$version" >"$1/version"
  depmod -b "$1/modules" "$version"
  rm -rf "$1/x"
}

# xenstored of one Xen with the libraries it needs and their loader, apart from dom0's own. ldd_closure ROOT DIR FILE…
closure() {
  local root=$1 into=$2 queue file lib found; shift 2
  mkdir -p "$into"
  queue=("$@")
  while [ ${#queue[@]} -gt 0 ]; do
    file=${queue[0]} queue=("${queue[@]:1}")
    for lib in $(objdump -p "$file" | sed -nE 's/ +NEEDED +//p'); do
      [ -e "$into/$lib" ] && continue
      found=$(find "$root/lib" "$root/usr/lib" -name "$lib" 2>/dev/null | head -n 1)
      [ -n "$found" ] || { echo "no $lib in $root (for $file)" >&2; return 1; }
      cp -L "$found" "$into/$lib"
      queue+=("$into/$lib")
    done
  done
  cp -L "$(find "$root/lib" "$root/usr/lib" "$root/lib64" -name ld-linux-x86-64.so.2 2>/dev/null | head -n 1)" "$into/"
}

xen_libraries=(libc6 libxenstore4 libxencall1 libxenevtchn1 libxenforeignmemory1 libxengnttab1 libxendevicemodel1 libxentoolcore1
  libxentoollog1 libxenhypfs1 libncurses6 libtinfo6 libyajl2 zlib1g liblzma5 libbz2-1.0 libzstd1 liblzo2-2 libuuid1 libnl-3-200
  libnl-route-3-200 libfdt1 libgcrypt20 libgpg-error0 libsystemd0 libcap2 liblz4-1)

# The whole of a Xen's userspace as far as a witness or a peer needs it: /opt/xen/{bin,lib} with wrappers in /usr/local/sbin, which start each
# program under its own Debian's loader and libraries; /store holds the store daemon alone, the same way.
xen_userspace() {
  local into=$1 version=$2 tree=$1/x program name; shift 2
  unpack "$tree" "xen-utils-$version" xen-utils-common xenstore-utils "${xen_libraries[@]}" "$@"
  local programs=("$tree/usr/lib/xen-$version/bin/"{xl,xentop,xenconsole,xenconsoled,xen-init-dom0,lsevtchn,libxl-save-helper,xenpm,xen-diag})
  for program in "$tree/usr/bin/"xenstore*; do [ -f "$program" ] && [ ! -L "$program" ] && programs+=("$program"); done

  mkdir -p "$into/store/lab/xenstored" "$into/tools/opt/xen/bin" "$into/tools/usr/local/sbin" "$into/tools/etc"
  cp "$tree/usr/lib/xen-$version/bin/xenstored" "$into/store/lab/xenstored/"
  closure "$tree" "$into/store/lab/xenstored" "$into/store/lab/xenstored/xenstored"

  for program in "${programs[@]}"; do
    [ -f "$program" ] || { echo "no $program" >&2; continue; }
    name=$(basename "$program")
    cp "$program" "$into/tools/opt/xen/bin/"
    printf '#!/bin/sh\nexec /opt/xen/lib/ld-linux-x86-64.so.2 --library-path /opt/xen/lib --argv0 %s /opt/xen/bin/%s "$@"\n' "$name" "$name" \
      >"$into/tools/usr/local/sbin/$name"
    chmod 755 "$into/tools/usr/local/sbin/$name"
    closure "$tree" "$into/tools/opt/xen/lib" "$into/tools/opt/xen/bin/$name"
  done
  # One busybox-like program: xenstore is called by many names.
  for name in ls read write rm list exists chmod watch; do
    [ -e "$into/tools/usr/local/sbin/xenstore-$name" ] ||
      printf '#!/bin/sh\nexec /usr/local/sbin/xenstore %s "$@"\n' "$name" >"$into/tools/usr/local/sbin/xenstore-$name"
    chmod 755 "$into/tools/usr/local/sbin/xenstore-$name"
  done
  cp -a "$tree/etc/xen" "$into/tools/etc/"
  # xl finds its scripts and helpers at the places compiled in.
  mkdir -p "$into/tools/usr/lib/xen-$version" "$into/tools/var/log/xen" "$into/tools/var/lib/xen"
  ln -s /usr/local/sbin "$into/tools/usr/lib/xen-$version/bin"

  tar -C "$into/store" --owner=0 --group=0 -cf "$into/store.tar" .
  tar -C "$into/tools" --owner=0 --group=0 -cf "$into/tools.tar" .
  rm -rf "$tree" "$into/store" "$into/tools"
}

make_userspace417() { xen_userspace "$1" 4.17 libxenmisc4.17; }
make_userspace420() { use_trixie; xen_userspace "$1" 4.20 libxenmisc4.20; }

# dom0's root: Debian's minbase and what the daemon, the command and the tests use; none of Xen's userspace. systemd and udev are asleep there
# unless the lab is run with --systemd.
dom0_packages=(kmod iputils-ping iproute2 procps util-linux mount bash coreutils tar dropbear-bin ca-certificates libsquashfs1 libzstd1 libssl3 zlib1g
  squashfs-tools attr curl socat strace iptables systemd systemd-sysv udev)
make_dom0root() {
  mmdebstrap --quiet --variant=minbase --include="$(IFS=,; echo "${dom0_packages[*]}")" \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    bookworm "$1/root.tar" $(bookworm_sources)
}

# The lab's key pair: it opens nothing but a dom0 on the loopback of a namespace of its own.
make_keys() {
  ssh-keygen -q -t ed25519 -N '' -C lab -f "$1/user"
  local tree
  tree=$(mktemp -d)
  unpack "$tree/x" dropbear-bin libtomcrypt1 libtommath1 libcrypt1
  LD_LIBRARY_PATH=$tree/x/usr/lib/x86_64-linux-gnu "$tree/x/usr/bin/dropbearkey" -t ed25519 -f "$1/host"
  LD_LIBRARY_PATH=$tree/x/usr/lib/x86_64-linux-gnu "$tree/x/usr/bin/dropbearkey" -y -f "$1/host" | sed -nE 's/^(ssh-ed25519 [^ ]+).*/dom0 \1/p' >"$1/known"
  rm -rf "$tree"
  [ -s "$1/known" ]
}

# The modules a dom0 may want; the rest of Debian's kernel (sound, graphics, …) stays out.
dom0_modules=(lib crypto net fs/squashfs fs/overlayfs fs/erofs fs/ext4 fs/jbd2 fs/fuse fs/9p fs/nls fs/mbcache.ko drivers/xen
  drivers/block drivers/virtio drivers/net/xen-netback drivers/net/tun.ko drivers/net/veth.ko drivers/net/dummy.ko drivers/net/macvlan.ko
  drivers/net/ifb.ko drivers/net/virtio_net.ko drivers/net/net_failover.ko drivers/char/hw_random drivers/char/virtio_console.ko)

# The disk image that all runs share, read-only; each writes to a copy of its own.
make_dom0image() {
  local tree version module
  version=$(cat "$kernel/version")
  tree=$(mktemp -d)
  tar -C "$tree" --exclude=./dev -xf "$root/root.tar"
  mkdir -p "$tree/dev" "$tree/lab/in" "$tree/lab/out" "$tree/lib/modules/$version/kernel" "$tree/root/.ssh" "$tree/etc/dropbear"
  for module in "${dom0_modules[@]}"; do
    [ -e "$kernel/modules/lib/modules/$version/kernel/$module" ] || continue
    mkdir -p "$(dirname "$tree/lib/modules/$version/kernel/$module")"
    cp -a "$kernel/modules/lib/modules/$version/kernel/$module" "$tree/lib/modules/$version/kernel/$module"
  done
  cp "$kernel/modules/lib/modules/$version/"modules.{builtin,builtin.modinfo,order} "$tree/lib/modules/$version/"
  depmod -b "$tree" "$version"
  install -m 755 "$lab/dom0/init" "$tree/lab/init"
  install -m 600 "$keys/host" "$tree/etc/dropbear/host"
  install -m 600 "$keys/user.pub" "$tree/root/.ssh/authorized_keys"
  chmod 700 "$tree/root/.ssh"
  install -m 644 -t "$tree/etc/systemd/system" "$lab"/dom0/{xen,lab}.service
  ln -s -t "$tree/etc/systemd/system/multi-user.target.wants" ../xen.service ../lab.service
  echo dom0 >"$tree/etc/hostname"
  printf '127.0.0.1 localhost\n127.0.1.1 dom0\n10.0.2.2 host registry.local\n' >"$tree/etc/hosts"
  chown -R 0:0 "$tree/root" "$tree/lab" "$tree/etc/dropbear" "$tree/lib/modules"
  chmod 755 "$tree" # mktemp's 700 would be the mode of /
  truncate -s 16G "$1/dom0.img"
  mke2fs -q -t ext4 -F -O ^has_journal,^metadata_csum -m 0 -E lazy_itable_init=1 -d "$tree" "$1/dom0.img"
  rm -rf "$tree"
}

# dom0's first root: only the way to the disk.
initramfs_modules=(virtio_pci virtio_blk ext4 crc32c_generic virtio_net)
make_initramfs() {
  local tree version module file
  version=$(cat "$kernel/version")
  tree=$(mktemp -d)
  mkdir -p "$tree"/{bin,dev,proc,sys,root,modules}
  cp /bin/busybox "$tree/bin/busybox"
  ln -s busybox "$tree/bin/sh"
  for module in "${initramfs_modules[@]}"; do
    modprobe -d "$kernel/modules" -S "$version" --show-depends "$module" | sed -nE 's/^insmod ([^ ]+).*/\1/p'
  done | awk '!seen[$0]++' | while read -r file; do
    cp "$file" "$tree/modules/"
    basename "$file" .ko >>"$tree/modules/order"
  done
  install -m 755 "$lab/dom0/initramfs-init" "$tree/init"
  ( cd "$tree" && find . | cpio --quiet -o -H newc -R 0:0 ) >"$1/initrd"
  rm -rf "$tree"
}

# Every part that a boot of this Xen needs; sets hypervisor, userspace, kernel, keys, dom0image and initramfs to their folders.
# Our own guest kernel, where kernel/build.sh was run: prints its folder. What it built of the same configuration before is as good.
guest_kernel() {
  local sources=$lab/../kernel dir
  dir=$(dirname "$cache")/kernel-$(cat "$sources/config" "$sources/build.sh" | sha256sum | cut -c1-16)
  for dir in "$sources/target" "$dir"; do
    [ ! -f "$dir/kernel" ] || { (cd "$dir" && pwd); return 0; }
  done
  return 1
}

prepare() {
  local recipe
  recipe="$(declare -f xen_userspace closure) ${xen_libraries[*]}"
  case $1 in
    4.17) hypervisor=$(part xen417); userspace=$(part userspace417 "$recipe") ;;
    4.20) hypervisor=$(part xen420); userspace=$(part userspace420 "$recipe") ;;
    *) die "Xen $1 is not one the lab has (4.17, 4.20)" ;;
  esac
  kernel=$(part kernel)
  keys=$(part keys)
  root=$(part dom0root "${dom0_packages[*]}")
  dom0image=$(part dom0image "$kernel" "$root" "$keys" "${dom0_modules[*]}" "$(cat "$lab"/dom0/{init,xen.service,lab.service})")
  initramfs=$(part initramfs "$kernel" "${initramfs_modules[*]}" "$(cat "$lab/dom0/initramfs-init")")
}

# --- images, made on the spot ---

# A busybox with users, so that names resolve.
make_busybox() {
  local tree layout=$1/layout
  tree=$(mktemp -d)
  mkdir -p "$tree"/{bin,etc,root,tmp,home/app,var,usr}
  cp /bin/busybox "$tree/bin/busybox"
  chroot "$tree" /bin/busybox --install -s /bin
  printf 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$tree/etc/passwd"
  printf 'root:x:0:\nwheel:x:10:app\napp:x:1000:\nnogroup:x:65534:\n' >"$tree/etc/group"
  chmod 755 "$tree" # mktemp's 700 would be the mode of /
  chmod 1777 "$tree/tmp"; chmod 700 "$tree/root"; chown 1000:1000 "$tree/home/app"
  tar -C "$tree" --numeric-owner -cf "$1/layer.tar" .
  umoci init --layout "$layout"
  umoci new --image "$layout:latest"
  umoci raw add-layer --image "$layout:latest" "$1/layer.tar"
  umoci config --image "$layout:latest" --config.cmd sh --config.env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  rm -rf "$tree" "$1/layer.tar"
}

# Debian's minbase, and a second layer that adds, replaces and removes.
make_debian() {
  local layout=$1/layout tree
  mmdebstrap --quiet --variant=minbase --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    bookworm "$1/layer.tar" $(bookworm_sources)
  tree=$(mktemp -d)
  mkdir -p "$tree/etc" "$tree/usr/share"
  echo 'Debian, made on the spot' >"$tree/etc/motd"
  touch "$tree/usr/share/.wh.lintian"
  tar -C "$tree" --numeric-owner -cf "$1/second.tar" etc usr
  umoci init --layout "$layout"
  umoci new --image "$layout:latest"
  umoci raw add-layer --image "$layout:latest" "$1/layer.tar"
  umoci raw add-layer --image "$layout:latest" "$1/second.tar"
  umoci config --image "$layout:latest" --config.cmd bash --config.env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  rm -rf "$tree" "$1/layer.tar" "$1/second.tar"
}

# serve_registry STORAGE PORT: docker-registry in the foreground.
serve_registry() {
  printf 'version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: %s\nhttp:\n  addr: 127.0.0.1:%s\n' "$1" "$2" >"$1.yml"
  exec docker-registry serve "$1.yml"
}

# A registry's storage with the images pushed, in a namespace of its own while that is done.
make_registry() {
  local images=("$busybox/layout" "$debian/layout") names=(busybox debian)
  mkdir -p "$1/storage"
  export -f serve_registry
  unshare --net bash -euo pipefail -c '
    ip link set lo up
    serve_registry "$1/storage" 5000 & registry=$!
    trap "kill $registry" EXIT
    for _ in $(seq 100); do curl -sf http://127.0.0.1:5000/v2/ >/dev/null && break; read -rt 0.1 <> <(:) || true; done
    shift
    while [ $# -gt 0 ]; do skopeo copy --insecure-policy --dest-tls-verify=false "oci:$1:latest" "docker://127.0.0.1:5000/$2:latest"; shift 2; done
  ' registry "$1" "${images[0]}" "${names[0]}" "${images[1]}" "${names[1]}"
  rm -f "$1/storage.yml"
}

# Sets busybox, debian and registry to their folders.
prepare_registry() {
  busybox=$(part busybox)
  debian=$(part debian)
  registry=$(part registry "$busybox" "$debian" "$(declare -f serve_registry)")
}
