#!/bin/sh
# FOLDER IMAGE LEAST_MIB: makes the file system of the cluster's volumes: half of the free space, in a file without holes, so that it never
# grows and never finds the disk full. Discarded blocks would be such holes (mkfs, `fstrim -a`), and those that the kernel zeroes later (lazy
# initialisation, through a loop device).
folder=$1 image=$2 least=$3
set -e
umask 022
mkdir -p "$folder"
if [ ! -e "$image" ]; then
  rm -f "$image.new"
  free=$(df -kP /srv/skolo | awk 'NR == 2 { print int($4 / 1024) }')
  [ "$free" -ge "$least" ] || { echo "/srv has $free MiB free, but volumes require $least MiB; free disk space, or mount a disk at $folder" >&2; exit 1; }
  fallocate -l "$((free / 2))MiB" "$image.new"
  chmod 600 "$image.new"
  mkfs.ext4 -q -F -m 0 -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 -L skolo-nfs "$image.new"
  sync "$image.new"
  mv "$image.new" "$image"
  sync -f "$image"
fi
fallocate -l "$(stat -c %s "$image")" "$image"
