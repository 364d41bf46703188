/**
 * The contract of connected hosts: which host is connected to which port, and which ports have a link, as the device itself
 * sees it. What that means for rack.yaml is decided elsewhere.
 */
import type { Access, DeviceConnection, Recorded } from '@skolo/equipment';
import type { Device } from './device.ts';

/** What a model exports as `connectedHosts`. */
export type CreateConnectedHostsReader = (device: Device) => ConnectedHostsReader;

export interface ConnectedHostsReader {
  /** @throws DeviceError, or the signal's reason */
  read(access: ConnectedHostsAccess): Promise<ConnectedHosts>;
}

/** Ways to the device; a model uses one. */
interface ConnectedHostsAccess extends Recorded {
  connection: DeviceConnection;
  /** The secrets of the device's login, for SNMP. */
  credentials: Access['credentials'];
  signal: AbortSignal;
}

/** A network card that the device has heard of. */
export interface ConnectedHost {
  /** Lower case, with colons. */
  mac: string;
  /** As rack.yaml names it, else as the device does: a LAG, a bridge. */
  port?: string;
  vlan?: string;
  address?: string;
  hostname?: string;
  /** Only a MAC table tells the port for certain. */
  source: 'mac-table' | 'arp' | 'lease';
}

export interface ConnectedHosts {
  hosts: ConnectedHost[];
  /** Ports that something can be plugged into. */
  ports: { name: string; up: boolean }[];
  /** MAC addresses of the device itself. */
  own: string[];
}
