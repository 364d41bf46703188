#!/bin/sh
# MOUNTED JUMPHOST [DEVICE]: tries DEVICE, or all unmounted file systems, at MOUNTED. Prints a line for each: `found DEVICE`, or why it does not
# match. An operator must first open others: LVM, LUKS, RAID.
mounted=$1 jumphost=$2
shift 2
if [ $# != 0 ]; then
  device=$(findfs "$1" 2>/dev/null || echo "$1")
  [ -b "$device" ] || { echo "$1: not a directory or device on this computer" >&2; exit 1; }
  set -- "$device"
fi
! mountpoint -q "$mounted" || umount "$mounted" || exit 1
mkdir -p -m 0700 "$mounted"
lsblk -nrpo PATH,MOUNTPOINT "$@" | sort -u | while read -r path at; do
  [ -b "$path" ] && [ -z "$at" ] || continue
  case $(blkid -o value -s TYPE "$path") in
    # Debian may be installed on these.
    btrfs|ext3|ext4|f2fs|xfs) ;;
    *_member|crypto_LUKS) echo "$path: LVM, LUKS or RAID; open it first"; continue ;;
    *) continue ;;
  esac
  if ! mount -o ro "$path" "$mounted" 2>/dev/null; then echo "$path: cannot be mounted"; continue; fi
  name=$(cat "$mounted/etc/hostname" 2>/dev/null)
  if [ ! -d "$mounted/var/lib/skolo" ]; then echo "$path: does not contain /var/lib/skolo"
  elif [ "$name" != "$jumphost" ]; then echo "$path: belongs to ${name:-a computer without a name}"
  else echo "found $path"; fi
  umount "$mounted"
done
