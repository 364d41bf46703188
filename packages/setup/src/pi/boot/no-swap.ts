/** Disables all swap, because it wears out SD cards, and the kubelet does not start with it. */

/** dphys-swapfile is in Bookworm, the others are for zram; Trixie's rpi-swap has its own file. */
export const swapUnits = [
  'dphys-swapfile.service',
  'systemd-zram-setup@zram0.service',
  'dev-zram0.swap',
  'zramswap.service',
];

/** Shell lines that may run again. */
export const noSwap = `  swapoff -a || true
  for each in ${swapUnits.join(' ')}; do
    systemctl mask "$each"
  done
  if [ -e /etc/fstab ]; then
    sed 's/^[^#].*[[:space:]]swap[[:space:]].*/# &/' /etc/fstab > /etc/fstab.skolo-new
    cmp -s /etc/fstab /etc/fstab.skolo-new || cat /etc/fstab.skolo-new > /etc/fstab
    rm -f /etc/fstab.skolo-new
  fi
  rm -f /var/swap
`;
