import {
  type AttachedDevice,
  formatOutlet,
  formatUsbPort,
  type Outlet,
  type UsbPort,
} from '@skolo/rack';

/** As it is written in rack.yaml. */
export function outletText(outlet: Outlet | UsbPort | 'internet'): string {
  if (outlet === 'internet') return outlet;
  return 'hub' in outlet ? formatUsbPort(outlet) : formatOutlet(outlet);
}

/** A port of a machine's own hub among the other outlets: `rpi-001/usb/1-1.2`. */
export function hubOutlet(machine: string, port: UsbPort): Outlet {
  return { device: machine, outlet: formatUsbPort(port) };
}

/** `android`, or `left:android` where a phone has a name of its own. */
export function phoneText({ name, kind }: AttachedDevice): string {
  return name === 'device' ? kind : `${name}:${kind}`;
}
