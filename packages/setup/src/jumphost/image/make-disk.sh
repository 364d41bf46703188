#!/bin/sh
# IMAGE ROOT EFI SHIM GRUB START ROOT_TYPE PACKAGES EFI_LABEL ROOT_LABEL GRUB_START: makes the disk image of a root file system. EFI is a draft
# of its UEFI partition; SHIM and GRUB are files below ROOT; GRUB_START is the content of grub.cfg.
image=$1 root=$2 efi=$3
shim=$root$4 grub=$root$5
for each in "$shim" "$grub" "$root/vmlinuz" "$root/initrd.img"; do
  [ -e "$each" ] || { echo "${each#"$root"} is missing from the root file system, which requires the packages $8" >&2; exit 1; }
done
efiMiB=512
# Space for the ext4 metadata and the first boot, after which the file system grows to the whole disk.
rootMiB=$(($(du -sm "$root" | cut -f 1) * 6 / 5 + 512))
rm -f "$image" "$efi"
truncate -s $((efiMiB + rootMiB + 2))M "$image"
sfdisk --quiet "$image" <<END
label: gpt
start=1MiB, size=${efiMiB}MiB, type=uefi, name=efi
start=$((efiMiB + 1))MiB, size=${rootMiB}MiB, type=$7, name=root
END
truncate -s ${efiMiB}M "$efi"
mkfs.vfat -F 32 -n "$9" "$efi" > /dev/null
export MTOOLS_SKIP_CHECK=1
mmd -i "$efi" ::EFI ::EFI/BOOT ::EFI/debian
mcopy -i "$efi" "$shim" "::EFI/BOOT/$6"
mcopy -i "$efi" "$grub" "::EFI/BOOT/$(basename "$grub" .signed)"
printf '%s' "${11}" | mcopy -i "$efi" - ::EFI/debian/grub.cfg
dd if="$efi" of="$image" bs=1M seek=1 conv=notrunc,sparse status=none
rm "$efi"
mkfs.ext4 -q -L "${10}" -d "$root" -E offset=$(((efiMiB + 1) * 1048576)) "$image" "${rootMiB}M"
sync "$image"
