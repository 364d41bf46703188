#!/bin/sh
# REBOOT: prints why the next boot fails. The file REBOOT contains the date of the last reboot after which everything was checked.
reboot=$1
export LC_ALL=C
hand() { echo "by hand: $*"; }
# systemd creates missing mount points.
findmnt --verify 2>&1 | grep -v 'required target: No such file' | while IFS= read -r line; do
  case $line in
    *'parse error at line '*) number=${line#*at line }; hand "/etc/fstab line ${number%% *} is invalid ($(sed -n "${number%% *}p" /etc/fstab)); fix or remove it" ;;
    *'[E] '*) hand "it does not boot, because of the line \`$(awk -v target="$target" '$2 == target && !/^ *#/' /etc/fstab | head -n 1)\` in /etc/fstab: ${line#*\[E\] }; fix or remove the line, or add nofail to it" ;;
    ' '*) ;;
    *) target=$line ;;
  esac
done
default=$(systemctl get-default 2>/dev/null)
# The first entry of GRUB is the default; later ones are for recovery.
{ grep -m 1 -sE '^[[:space:]]*linux' /boot/grub/grub.cfg; cat /boot/firmware/cmdline.txt 2>/dev/null; } | tr ' ' '\n' |
  grep -xE 'systemd\.unit=(emergency|rescue)\.target|(rd\.)?emergency|rescue|single|init=.*|systemd\.mask=.*' | while read -r word; do
  hand "it boots with $word on the kernel's command line; remove it from /etc/default/grub and /etc/default/grub.d, and run update-grub (on a Raspberry Pi: from /boot/firmware/cmdline.txt)"
done
if command -v update-initramfs > /dev/null; then
  for kernel in /boot/vmlinuz-*; do
    version=${kernel#/boot/vmlinuz-}
    [ ! -e "$kernel" ] || [ -s "/boot/initrd.img-$version" ] || hand "the kernel $version has no /boot/initrd.img-$version, so it may not boot; free space in /boot and run update-initramfs -c -k $version"
    [ ! -e "$kernel" ] || [ -s "$kernel" ] || hand "$kernel is empty, so it does not boot; reinstall linux-image-$version"
  done
fi
# shellcheck disable=SC2046 # Several units.
said=$(systemd-analyze verify "${default:-default.target}" $(systemctl list-unit-files --plain --no-legend 'skolo-*' k3s.service | cut -d ' ' -f 1) 2>&1)
case $said in *'deleted to break ordering cycle'*) hand "units wait for each other, so the next boot starts only some of them (systemd-analyze verify $default lists them); remove the drop-in or unit file that causes it" ;; esac
echo "$said" | grep -E 'bad unit file|bad-setting' | sort -u | while IFS= read -r line; do hand "after the next boot, a unit fails: $line; fix its file"; done
at=$(cat "$reboot" 2> /dev/null)
said="the last checked reboot was on $at"
[ -n "$at" ] || said='no reboot has been checked yet'
[ -n "$(find "$reboot" -newermt '-183 days' 2> /dev/null)" ] || said="$said; run skolo jumphost reboot --then-check"
echo "note: $said"
