/** Text form of outlets and ports. */
import type { AttachedDevice, Outlet, UsbPort } from '../rack/rack.ts';

/** `switch-1/14`, or `switch-1` without a port. */
export function parseOutlet(written: string): Outlet | undefined {
  const [, device, outlet] =
    /^([a-z0-9][a-z0-9-]{0,62})(?:\/([\w./:@-]{1,60}))?$/.exec(written) ?? [];
  return device === undefined || device === 'usb' ? undefined : { device, outlet: outlet ?? '' };
}

/** The inverse of parseOutlet. */
export function formatOutlet({ device, outlet }: Outlet): string {
  return outlet === '' ? device : `${device}/${outlet}`;
}

/** `usb/1-1.2` is port 2 of hub 1-1. */
export function parseUsbPort(written: string): UsbPort | undefined {
  const [, hub, port] =
    /^usb\/(\d{1,3}(?:-\d{1,3}(?:\.\d{1,3})*)?)\.(\d{1,3})$/.exec(written) ?? [];
  return hub === undefined || Number(port) < 1 ? undefined : { hub, port: Number(port) };
}

/** The inverse of parseUsbPort. */
export function formatUsbPort({ hub, port }: UsbPort): string {
  return `usb/${hub}.${port}`;
}

/** Feed of an attached device as an outlet: a port of the hub of machine `m` is `m/usb/1-1.2`. */
export function feedOf(machine: string, { power }: AttachedDevice): Outlet | undefined {
  if (power === undefined || 'device' in power) return power;
  return { device: machine, outlet: formatUsbPort(power) };
}
