#!/bin/sh
# OPTION: adds the option to the kernel command line, in the boot loader's `$file`, which is set in front of it.
: "${file?}"
option=$1
set -e
case $file in
  *grub.cfg)
    mkdir -p /etc/default/grub.d
    echo "GRUB_CMDLINE_LINUX=\"\$GRUB_CMDLINE_LINUX $option\"" > /etc/default/grub.d/90-skolo.cfg
    update-grub > /dev/null 2>&1 ;;
  *cmdline.txt)
    sed "1s/ *\$/ $option/" "$file" > "$file.skolo-new" && sync "$file.skolo-new" && mv -f "$file.skolo-new" "$file" ;;
esac
sync
