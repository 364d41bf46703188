/** Outlets and ports, and their text form. */

/** A reference to an outlet or a port: `switch-1/14` is `{ device: 'switch-1', outlet: '14' }`. */
export interface Outlet {
  device: string;
  /** In the notation of its model. Empty only in an `uplink` without a port. */
  outlet: string;
}

/** A port of a machine's own USB hub: `usb/1-1.2` is `{ hub: '1-1', port: 2 }`. */
export interface UsbPort {
  hub: string;
  port: number;
}

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
export function feedOf(
  machine: string,
  { power }: { power?: Outlet | UsbPort },
): Outlet | undefined {
  if (power === undefined || 'device' in power) return power;
  return { device: machine, outlet: formatUsbPort(power) };
}
