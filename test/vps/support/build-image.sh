#!/bin/sh
# Makes the disks that test machines start from: build-image.sh FOLDER debian12|debian13|ubuntu24.04. Root; debootstrap,
# e2fsprogs, ssh-keygen.
#
#   FOLDER/sources.list, build-apt.conf  (given) apt's sources and settings for the build
#   FOLDER/bare.img       the system as a VPS has it: systemd, sshd with root's password (see below), no server but that
#   FOLDER/stocked.img    the same with the packages that setup installs, as the system installs them, configured by nobody
#   FOLDER/vmlinuz, initrd.img, key, key.pub
#
# sshd takes passwords and root's is `from-the-provider`, as with many providers: what setup closes must have been open.
set -eu
folder=$1
root=$folder/root
bare=systemd-sysv,udev,dbus,openssh-server,sudo,ca-certificates,iproute2,procps,kmod,less,cron,netbase,e2fsprogs
kernel=linux-image-cloud-amd64
components=main
script=
case $2 in
  debian12) suite=bookworm bare=$bare,ifupdown,isc-dhcp-client ;;
  debian13) suite=trixie ;;
  ubuntu24.04)
    # needrestart asks questions after an installation, where it may: Ubuntu's servers have it.
    suite=noble bare=$bare,initramfs-tools,zstd,needrestart components=main,universe
    kernel=linux-image-virtual script=/usr/share/debootstrap/scripts/gutsy
    ;;
  *) echo "no such system: $2" >&2; exit 2 ;;
esac
stocked='nginx mariadb-server git ufw fail2ban python3-systemd nftables unattended-upgrades apt-listchanges
  systemd-timesyncd logrotate bubblewrap openssl xz-utils zstd acl curl'
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

unmount() {
  for name in proc sys dev/pts dev; do ! mountpoint -q "$root/$name" || umount "$root/$name"; done
}
trap unmount EXIT
in_root() {
  chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive "$@"
}
make_disk() {
  # Nothing of the build stays on it: its sources, its name server, the ban on starting services.
  in_root apt-get clean
  for name in proc sys dev/pts dev; do umount "$root/$name"; done
  rm "$root/etc/resolv.conf"
  # qemu's own; on Debian 12 the client of DHCP writes it.
  [ "$suite" = bookworm ] || echo 'nameserver 10.0.2.3' > "$root/etc/resolv.conf"
  cp "$folder/guest.list" "$root/etc/apt/sources.list"
  cp "$folder/guest-apt.conf" "$root/etc/apt/apt.conf.d/90-tests"
  rm -f "$root/usr/sbin/policy-rc.d" "$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
  mke2fs -q -t ext4 -E lazy_itable_init=1,lazy_journal_init=1,root_owner=0:0 -d "$root" "$folder/$1.img.new" 8G
  mv "$folder/$1.img.new" "$folder/$1.img"
}
ready_to_install() {
  printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  echo force-unsafe-io > "$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
  rm -f "$root/etc/apt/sources.list.d/ubuntu.sources"
  cp "$folder/sources.list" "$root/etc/apt/sources.list"
  cp "$folder/build-apt.conf" "$root/etc/apt/apt.conf.d/90-tests"
  cat /etc/resolv.conf > "$root/etc/resolv.conf"
  mount -t proc proc "$root/proc"
  mount -t sysfs -o ro sys "$root/sys"
  mount --bind /dev "$root/dev"
  mount --bind /dev/pts "$root/dev/pts"
}

mirror=$(sed -n "s/^deb [^h]*\(http[^ ]*\) $suite .*/\1/p" "$folder/sources.list" | head -1)
# The keys of Ubuntu are not to be had here; the machine itself checks signatures, as apt does.
case $suite in noble) check=--no-check-gpg ;; *) check=--force-check-gpg ;; esac
# shellcheck disable=SC2086
debootstrap --variant=minbase $check --components="$components" --include="$bare" "$suite" "$root" "$mirror" $script

ssh-keygen -q -t ed25519 -N '' -C root-of-the-test-machines -f "$folder/key"
install -d -m 700 "$root/root/.ssh"
install -m 600 "$folder/key.pub" "$root/root/.ssh/authorized_keys"
echo 'root:from-the-provider' | chroot "$root" chpasswd
printf 'PasswordAuthentication yes\nPermitRootLogin yes\n' > "$root/etc/ssh/sshd_config.d/50-cloud-init.conf"
echo vps > "$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 vps\n::1 localhost\n' > "$root/etc/hosts"
if [ "$suite" = bookworm ]; then
  printf 'auto lo\niface lo inet loopback\nauto eth0\niface eth0 inet dhcp\n' > "$root/etc/network/interfaces"
else
  printf '[Match]\nName=eth0\n\n[Network]\nDHCP=ipv4\n' > "$root/etc/systemd/network/10-eth0.network"
  in_root systemctl --quiet enable systemd-networkd
fi
echo '/dev/vda / ext4 errors=remount-ro 0 1' > "$root/etc/fstab"
rm -f "$root/var/cache/apt/archives"/*.deb
# The certificates that this machine trusts beside Debian's own.
mkdir -p "$root/usr/local/share/ca-certificates"
find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$root/usr/local/share/ca-certificates/" \;

ready_to_install
in_root update-ca-certificates > /dev/null
in_root apt-get --quiet update
in_root apt-get --quiet --yes dist-upgrade
in_root apt-get --quiet --yes install --no-install-recommends "$kernel"
cp "$(ls -v "$root"/boot/vmlinuz-* | tail -1)" "$folder/vmlinuz"
cp "$(ls -v "$root"/boot/initrd.img-* | tail -1)" "$folder/initrd.img"
make_disk bare

ready_to_install
# shellcheck disable=SC2086
in_root apt-get --quiet --yes install --no-install-recommends $stocked
make_disk stocked
rm -rf "$root"
