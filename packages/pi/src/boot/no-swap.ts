/** No swap of any kind: a card does not last with it, and a kubelet refuses to start. */

/** dphys-swapfile is of Bookworm, the others are of zram; rpi-swap of Trixie has a file of its own. */
export const swapUnits = [
  'dphys-swapfile.service',
  'systemd-zram-setup@zram0.service',
  'dev-zram0.swap',
  'zramswap.service',
];

/** Lines of a shell, that may run again. */
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
