/**
 * The inventory: ranges expanded, references checked, defaults filled in.
 * Secrets are references; packages/secrets reads them on use.
 */
import type { Device, Ports } from '@skolo/models';
import type { AccountCredentials, Login } from '@skolo/secrets';
import type { ServicesSettings } from './settings.ts';

/** Plain data, as JSON has it. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

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

/** An account whose tokens the metadata server issues. */
export interface Identity {
  name: string;
  project: string;
  /** Digits; `0` if rack.yaml has none. */
  projectNumber: string;
  /** Absent: from the credentials. */
  email?: string;
  /** Scopes of a token; a caller can request only these. */
  scopes: string[];
  credentials: AccountCredentials;
  projectAttributes: Record<string, string>;
  universeDomain: string;
}

export type Role = 'view' | 'operate' | 'admin';

/** Access to the services. */
export interface Access {
  tokens?: { file: string };
  google?: { audience: string; emails: Record<string, Role>; certsUrl?: string };
  /** CIDRs that may read without a sign-in. */
  anonymousRead: string[];
}

/** Where the values of secrets are kept at a desk: at most one of the first three. */
export interface SecretsPlace {
  sops?: string;
  folder?: string;
  command?: string[];
  /** Place of a secret that several racks have, by its name. */
  shared: Record<string, string>;
}

/** A phone or another device attached to a machine. Its full name is `<machine>-<name>`. */
export interface AttachedDevice {
  name: string;
  fullName: string;
  kind: 'android' | 'ios' | 'chromeos' | 'linux' | 'pyocd' | 'auto' | 'none';
  serial?: string;
  power?: UsbPort | Outlet;
  /** Its address on the network (chromeos, linux). */
  address?: string;
  login?: string;
}

/** Check that a machine is back after a power cycle. */
export type SeenBack = { ssh: number } | { http: string } | { icmp: true };

/** Metadata of a machine. */
interface MachineMetadata {
  /** Digits, 64 bits unsigned; absent: derived from the name. */
  id?: string;
  zone?: string;
  machineType?: string;
  image?: string;
  cpuPlatform?: string;
  description?: string;
  tags: string[];
  attributes: Record<string, string>;
}

/** A test machine. */
export interface Machine {
  name: string;
  kind: 'rpi' | 'host';
  shelf?: string;
  label?: string;
  address?: string;
  ports: Ports;
  /** Lower case, colons. */
  mac?: string;
  /** Of the board: 16 digits, lower case. */
  serial?: string;
  power: Outlet[];
  uplink?: Outlet;
  /** A name of `identities`, or `none`. Absent: `defaultIdentity` applies. */
  identity?: string;
  login?: string;
  offSeconds?: number;
  seenBack?: SeenBack & { timeoutSeconds?: number };
  devices: AttachedDevice[];
  metadata: MachineMetadata;
  /** Settings of its swarming agent that differ from `services.swarming-client`; checked by the same schema. */
  swarming: Record<string, unknown>;
}

/** A device with a model of packages/models: router, switch, PDU. */
export interface InfrastructureDevice extends Device {
  mac?: string;
  /** An outlet or port, or `internet`. */
  uplink?: Outlet | 'internet';
  power: Outlet[];
  /** Whether rack.yaml enables its backup; its model may not support it. */
  backup: boolean;
  /** Overrides of the service's time-outs. */
  backupLimits?: { idleSeconds?: number; totalSeconds?: number };
}

export interface Jumphost {
  name: string;
  address: string;
  aliases: string[];
  /** Other Host headers of clients. */
  hosts?: string[];
  mac?: string;
  identity?: string;
  /** `internet`: it is the router of the rack. */
  uplink?: Outlet | 'internet';
  power: Outlet[];
}

/**
 * The unusable part of a rack.yaml with mistakes. Addresses of disabled entries get no identity by network (`callers`,
 * `defaultIdentity`).
 */
export interface Disabled {
  /** Entries and keys, dotted, as in messages. */
  what: string[];
  /** Disabled machines and infrastructure. */
  names: ReadonlySet<string>;
  /** Every address in a disabled entry. */
  addresses: ReadonlySet<string>;
  /** The address of a disabled machine is unknown: it may be any of the subnet. */
  subnet: boolean;
  /** The network or section with the mistake is unknown: only machines get identities. */
  everyone: boolean;
  /** The wiring is incomplete: only feeds of machines and their devices are known. */
  wiring: boolean;
}

/** One rack. */
export interface Rack {
  name: string;
  timezone: string;
  network: { subnet?: string; domain: string };
  jumphost: Jumphost;
  identities: ReadonlyMap<string, Identity>;
  /** Identity of unlisted callers; absent: no identity. */
  defaultIdentity?: string;
  access: Access;
  secrets: SecretsPlace;
  logins: ReadonlyMap<string, Login>;
  infrastructure: ReadonlyMap<string, InfrastructureDevice>;
  machines: ReadonlyMap<string, Machine>;
  services: ServicesSettings;
  /** Absent if rack.yaml is valid. */
  disabled?: Disabled;
  /** Absolute folder of rack.yaml, the base of relative paths. */
  dir: string;
}
