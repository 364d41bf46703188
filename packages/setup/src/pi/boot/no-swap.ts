/** Disables all swap, because it wears out SD cards, and the kubelet does not start with it. */
import { script, withArguments } from '@skolo/base';

/** dphys-swapfile is in Bookworm, the others are for zram; Trixie's rpi-swap has its own file. */
export const swapUnits = [
  'dphys-swapfile.service',
  'systemd-zram-setup@zram0.service',
  'dev-zram0.swap',
  'zramswap.service',
];

/** Shell lines that may run again. */
export const noSwap = withArguments(script(new URL('./no-swap.sh', import.meta.url)), ...swapUnits);
