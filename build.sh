#!/usr/bin/env bash
# Leaves artifacts/root/: the tree to lay over a dom0's /. Programs are compiled ahead of time; a program whose sources did not change is
# not compiled again.
set -euo pipefail
cd "$(dirname "$0")"
root=artifacts/root
mkdir -p "$root"/usr/{bin,sbin,lib/hypha} "$root/var/lib/hypha/default"

# publish PROJECT FOLDER: one native executable.
publish() {
  local project=$1 into=$root/$2 out=artifacts/publish/$1
  echo "building $project" >&2
  dotnet publish "src/$project/$project.csproj" -c Release -r linux-x64 -o "$out" -nologo -v quiet -clp:ErrorsOnly
  install -m 755 "$out/$project" "$into/$project"
}

publish hyphactl usr/bin
publish hyphad usr/sbin
publish hyphanet usr/sbin
publish hyphactr usr/lib/hypha

for unit in packaging/*.service; do
  install -D -m 644 "$unit" "$root/usr/lib/systemd/system/$(basename "$unit")"
done
install -D -m 644 packaging/hyphanet.sysusers "$root/usr/lib/sysusers.d/hyphanet.conf"
install -D -m 644 packaging/hypha.sysctl "$root/usr/lib/sysctl.d/50-hypha.conf"
for file in docs/guide.md packaging/*-netback.conf; do
  install -D -m 644 "$file" "$root/usr/share/doc/hypha/$(basename "$file")"
done

# The guest: a kernel and an initrd with hyphactr. Our own kernel where it was built (kernel/build.sh), else Debian's with its modules.
source lab/parts.sh
kernel=$(part kernel)
if [ -z "${HYPHA_DEBIAN_KERNEL:-}" ] && own=$(guest_kernel); then
  install -m 644 "$own/kernel" "$root/var/lib/hypha/default/kernel"
else
  install -m 644 "$kernel/vmlinuz" "$root/var/lib/hypha/default/kernel"
fi
# The modules are there for either: an initrd works with Debian's kernel, too, when somebody names it with -k.
scripts/make-initrd.sh "$root/var/lib/hypha/default/initrd" "$root/usr/lib/hypha/hyphactr" "$kernel/modules/lib/modules/$(cat "$kernel/version")"
