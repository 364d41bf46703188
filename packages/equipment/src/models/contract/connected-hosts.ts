/**
 * The contract of connected hosts: which host is connected to which port, and which ports have a link, as the device sees it. Callers
 * compare that with rack.yaml.
 */
import type { Access, DeviceConnection, Recorded } from '@skolo/equipment/transports';
import type { Device } from './device.ts';

/** What a model exports as `connectedHosts`. */
export type CreateConnectedHostsReader = (device: Device) => ConnectedHostsReader;

export interface ConnectedHostsReader {
  /** @throws DeviceError, or the signal's reason */
  read(access: ConnectedHostsAccess): Promise<ConnectedHosts>;
}

/** Transports; a model uses one. */
interface ConnectedHostsAccess extends Recorded {
  connection: DeviceConnection;
  /** The secrets of the device's login, for SNMP. */
  credentials: Access['credentials'];
  signal: AbortSignal;
}

/** A network card that the device has seen. */
export interface ConnectedHost {
  /** Lower case, with colons. */
  mac: string;
  /** As in rack.yaml, otherwise the device's own name: a LAG, a bridge. */
  port?: string;
  vlan?: string;
  address?: string;
  hostname?: string;
  /** Only a MAC table shows the port reliably. */
  source: 'mac-table' | 'arp' | 'lease';
}

export interface ConnectedHosts {
  hosts: ConnectedHost[];
  /** Ports that something can be plugged into. */
  ports: { name: string; up: boolean }[];
  /** The device's own MAC addresses. */
  own: string[];
  /** Lines of a command's output that look like rows, but are not understood, and the first one. */
  unread?: { command: string; lines: number; first: string }[];
}
