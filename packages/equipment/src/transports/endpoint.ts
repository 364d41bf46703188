/** The address of a piece of equipment, and how to sign in. */
import type { Credentials } from '@skolo/base/secrets';
import { DeviceRejected } from './errors.ts';
import type { HostKeys } from './host-keys.ts';
import type { Target } from './session.ts';

/** Non-standard ports. */
export interface Ports {
  ssh?: number;
  telnet?: number;
  http?: number;
  snmp?: number;
  mqtt?: number;
  ipmi?: number;
}

export interface Endpoint {
  name: string;
  address?: string;
  ports: Ports;
  /** `SHA256:…`, pinned. */
  hostKey?: string;
}

export interface Access {
  /** The secrets of the device's login, read again at each call. */
  credentials(): Promise<Credentials>;
  hostKeys: HostKeys;
}

/** Where an ssh or telnet session connects, and with which secrets. @throws DeviceRejected */
export async function targetOf(
  endpoint: Endpoint,
  { credentials }: Pick<Access, 'credentials'>,
  transport: 'ssh' | 'telnet',
): Promise<Target> {
  const { name, ports, hostKey } = endpoint;
  const address = addressOf(endpoint);
  const port = ports[transport] ?? (transport === 'ssh' ? 22 : 23);
  const pinned = hostKey !== undefined && { hostKey };
  return { name, address, port, credentials: await credentials(), ...pinned };
}

/** @throws DeviceRejected The device has none in rack.yaml. */
export function addressOf({ name, address }: Pick<Endpoint, 'name' | 'address'>): string {
  if (address !== undefined) return address;
  throw new DeviceRejected(name, 'rack.yaml does not specify its address');
}
