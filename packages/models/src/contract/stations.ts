/**
 * The contract of `stations.ts` of a model: who is plugged into which port, and which ports have a link, as the device itself
 * sees it. What that means for rack.yaml is decided elsewhere.
 */
import type { Access, DeviceConnection } from '@skolo/equipment';
import { models } from '../index.ts';
import type { Device } from './device.ts';

/** What `stations.ts` of a model exports. */
export type CreateStations = (device: Device) => StationReader;

export interface StationReader {
  /** @throws DeviceError, or the signal's reason */
  read(access: StationAccess): Promise<SeenStations>;
}

/** Ways to the device; a model uses one. */
export interface StationAccess {
  connection: DeviceConnection;
  /** The secrets of the device's login, for SNMP. */
  credentials: Access['credentials'];
  signal: AbortSignal;
}

/** A network card that the device has heard of. */
export interface Station {
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

export interface SeenStations {
  stations: Station[];
  /** Ports that something can be plugged into. */
  ports: { name: string; up: boolean }[];
  /** MAC addresses of the device itself. */
  own: string[];
}

/** What reads the stations of a model, loaded when it is needed; undefined: nothing does. */
export async function loadStations(model: string): Promise<CreateStations | undefined> {
  const { stations } = models.get(model) ?? {};
  return stations && 'load' in stations ? (await stations.load()).stations : undefined;
}

/** The port as rack.yaml names it; a name that rack.yaml does not know stays. */
export function portName({ model, options }: Device, name: string): string {
  return models.get(model)?.network?.find(name, options) ?? name;
}
