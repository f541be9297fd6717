#!/usr/bin/env bash
# Installs what the end-to-end tests need, on Debian 12 or later on amd64, as root.
# Running it again takes no time. From Debian's mirrors come, by way of apt and its
# signatures: strongSwan, FRR and tools, installed but not started; two kernels to run as
# guests; and, unpacked below E2E_CACHE, the libreswan of Debian 12 (4.x) and of
# Debian 13 (5.x), each in a root of its own, because their packages conflict with
# strongSwan's and with each other.
set -euo pipefail
die() { echo "e2e/install.sh: $*" >&2; exit 1; }

cache=${E2E_CACHE:-/var/cache/peerconf-e2e}
packages=(
  strongswan-charon strongswan-starter strongswan-swanctl strongswan-libcharon
  libcharon-extra-plugins libstrongswan-standard-plugins
  frr
  iproute2 iputils-ping nftables tcpdump kmod util-linux
  user-mode-linux qemu-system-x86 mmdebstrap debian-archive-keyring ca-certificates
)
# What libreswan's updown script calls comes along with it.
root=libreswan,base-files,dash,coreutils,sed,grep,mawk,procps,iproute2

. /etc/os-release
[[ $ID == debian && ${VERSION_ID:-0} -ge 12 && $(dpkg --print-architecture) == amd64 ]] ||
  die "needs Debian 12 or later on amd64, this is ${PRETTY_NAME:-unknown}"
[[ $EUID == 0 ]] || die "needs root, to install packages and to write $cache"

installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}\n' "${packages[@]}" 2>&1 | sort -u) == installed ]]
}

install_packages() {
  local policy=/usr/sbin/policy-rc.d
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
    trap "rm -f $policy" EXIT
  fi
  DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends install "${packages[@]}"
}

# User-mode Linux's modules, where modprobe -d finds them.
uml() {
  mkdir -p "$1/lib"
  ln -s /usr/lib/uml/modules "$1/lib/modules"
}

# Debian's kernel: not the cloud one, which has no 9p. boot/ has the modules
# needed to mount the root, numbered in the order in which they load.
qemu() {
  local name version n=10 file
  name=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-.*\)/\1/p')
  version=${name#linux-image-}
  mkdir -p "$1/boot"
  (cd "$1" && apt-get -q -o APT::Sandbox::User=root download "$name")
  dpkg-deb --fsys-tarfile "$1"/*.deb | tar x -C "$1" --wildcards "./boot/vmlinuz-$version" \
    "./*/$version/modules.*" "./*/$version/kernel/"{net,lib,crypto,arch/x86/crypto,fs/9p,fs/netfs,fs/fscache} \
    "./*/$version/kernel/drivers/"{virtio,net/veth.ko*,net/tun.ko*}
  rm "$1"/*.deb
  mv "$1/boot/vmlinuz-$version" "$1/vmlinuz"
  [[ -d $1/lib ]] || ln -s usr/lib "$1/lib"
  depmod -b "$1" "$version" 2>/dev/null
  for file in $(for m in virtio_pci 9pnet_virtio 9p; do
      modprobe -d "$1" -S "$version" --show-depends $m; done | awk '$1 == "insmod" && !seen[$2]++ {print $2}'); do
    cp "$file" "$1/boot/$((n++))-${file##*/}"
  done
}

# libreswan of the release $2 with an empty NSS database, to be run by chroot.
libreswan() {
  mmdebstrap --quiet --mode=root --variant=extract --include="$root" \
    --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr "$2" "$1"
  ln -s mawk "$1/usr/bin/awk"
  echo 127.0.0.1 localhost >"$1/etc/hosts"
  chroot "$1" certutil -N -d sql:/var/lib/ipsec/nss --empty-password
  chroot "$1" /usr/libexec/ipsec/pluto --version
}

# put NAME COMMAND... has COMMAND fill a directory, and puts it at NAME when it is whole.
put() {
  local name=$1 new=$cache/.new; shift
  rm -rf "$new" "${cache:?}/$name"
  mkdir "$new"
  "$1" "$new" "${@:2}"
  chmod 755 "$new"
  mv "$new" "$cache/$name"
}

# The stamp says by which script, out of which UML package the cache was filled.
stamp() { sha256sum "$0" | cut -d' ' -f1; dpkg-query -W -f '${Version}\n' user-mode-linux; }

if installed && [[ $(cat "$cache/stamp" 2>/dev/null) == "$(stamp)" ]]; then exit; fi
apt-get -q update || echo "e2e/install.sh: apt-get update failed, going on with the lists there are" >&2
installed || install_packages
mkdir -p "$cache"
rm -f "$cache/stamp"
put uml uml
put qemu qemu
put libreswan-4 libreswan bookworm
put libreswan-5 libreswan trixie
stamp >"$cache/stamp"
echo "e2e/install.sh: all there, in $cache"
