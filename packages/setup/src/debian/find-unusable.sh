#!/bin/sh
# Prints which directories and devices programs cannot use, and why. It writes to directories, because `[ -w ]` is true even for an ext4 that
# became read-only after an error, and a full file system accepts empty files.
export LC_ALL=C
find /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty -maxdepth 0 ! \( -type c -perm -666 \) -printf '%p is not the device that programs expect (type %y, mode %m); reboot, which creates it again\n'
find /tmp /var/tmp -maxdepth 0 ! -perm -1777 -printf '%p has mode %m, so programs without root rights cannot use it; run chmod 1777 %p\n'
for each in /var/lib /var/lib/rancher /var/lib/skolo /var/log /etc /run /tmp /var/tmp /dev/shm; do
  [ -d "$each" ] || continue
  if try=$(mktemp "$each/.skolo-XXXXXX" 2>&1) && said=$( (head -c 4096 /dev/zero > "$try" && sync "$try") 2>&1); then rm "$try"; continue; fi
  rm -f "$try" 2>/dev/null
  case "$try $said" in
    *'Read-only file system'*)
      # shellcheck disable=SC2046 # Two words.
      set -- $(findmnt -no FSTYPE,TARGET --target "$each")
      if [ "$1" = tmpfs ]; then echo "$each is read-only, because somebody mounted $2 so; run mount -o remount,rw $2, and check /etc/fstab"
      else echo "$each is read-only; check dmesg for disk errors and reboot"; fi ;;
    *'No space left'*)
      # Some file systems do not count inodes.
      what=$(df -iP "$each" | awk 'NR == 2 { print $5 == "100%" ? "inodes" : "space" }')
      echo "$each has no free $what (file system $(df -P "$each" | awk 'NR == 2 { print $6 }')); remove files" ;;
    *) echo "$each cannot be written: ${said:-$try}; fix the cause" ;;
  esac
done
