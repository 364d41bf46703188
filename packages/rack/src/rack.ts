/**
 * The inventory as everything else sees it: ranges expanded, references checked, defaults filled in.
 * Secrets are still references; they are read when they are used (see packages/secrets).
 */
import type { Device, Ports } from '@skolo/models';
import type { AccountCredentials, Login } from '@skolo/secrets';
import type { ServicesSettings } from './settings.ts';

/** Plain data, as JSON has it. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** A reference to an outlet or a port: `switch-1/14` is `{ device: 'switch-1', outlet: '14' }`. */
export interface Outlet {
  device: string;
  /** As its model writes it. Empty only in an `uplink` that names a device and not the port. */
  outlet: string;
}

/** A port of a machine's own USB hub: `usb/1-1.2` is `{ hub: '1-1', port: 2 }`. */
export interface UsbPort {
  hub: string;
  port: number;
}

/** What the metadata server may hand out. */
export interface Identity {
  name: string;
  project: string;
  /** Digits; `0` where rack.yaml gives none. */
  projectNumber: string;
  /** Where rack.yaml gives none, it is known once the credentials have been read. */
  email?: string;
  /** The scopes of a token, and the most that a caller may ask for. */
  scopes: string[];
  credentials: AccountCredentials;
  projectAttributes: Record<string, string>;
  universeDomain: string;
}

export type Role = 'view' | 'operate' | 'admin';

/** Who may read and change things. */
export interface Access {
  tokens?: { file: string };
  google?: { audience: string; emails: Record<string, Role>; certsUrl?: string };
  /** CIDRs whose callers may read without signing in. */
  anonymousRead: string[];
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

/** How a machine is seen to be back after a power cycle. */
export type SeenBack = { ssh: number } | { http: string } | { icmp: true };

/** What the metadata server tells a machine about itself. */
export interface MachineMetadata {
  /** Digits, 64 bits unsigned; derived from the name where not given. */
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
  power: Outlet[];
  uplink?: Outlet;
  /** A name of `identities`, or `none`: cut off. Absent: `defaultIdentity` applies. */
  identity?: string;
  login?: string;
  offSeconds?: number;
  seenBack?: SeenBack & { timeoutSeconds?: number };
  devices: AttachedDevice[];
  metadata: MachineMetadata;
  /** Settings of its swarming agent that differ from `services.swarming-client`; checked by the same schema. */
  swarming: Record<string, unknown>;
}

/** A router, switch, PDU: whatever has a model of packages/models. */
export interface InfrastructureDevice extends Device {
  mac?: string;
  /** An outlet or port, or `internet`. */
  uplink?: Outlet | 'internet';
  power: Outlet[];
  /** Whether rack.yaml wants it backed up; its model may still not be able to. */
  backup: boolean;
  /** Its own time-outs of the backup, in place of those of the service. */
  backupLimits?: { idleSeconds?: number; totalSeconds?: number };
}

export interface Jumphost {
  name: string;
  address: string;
  aliases: string[];
  /** More that clients send as Host. */
  hosts?: string[];
  mac?: string;
  identity?: string;
  uplink?: Outlet;
  power: Outlet[];
}

/**
 * Of a rack.yaml with mistakes, of which a service uses the rest: what is left out, and for whom nothing is known for
 * sure. Identities by network (`callers`, `defaultIdentity`) are not for the addresses of what is left out.
 */
export interface Disabled {
  /** Entries and keys, dotted, as in messages. */
  what: string[];
  /** Machines and infrastructure that rack.yaml lists and this rack does not. */
  names: ReadonlySet<string>;
  /** Every address that an entry mentions which is left out. */
  addresses: ReadonlySet<string>;
  /** An address of a machine is not known: it may be any of the subnet. */
  subnet: boolean;
  /** It is not known which network or section has the mistake: only machines and what they have are known. */
  everyone: boolean;
  /** What feeds what is not known for all: only outlets that feed a machine or its device are known. */
  wiring: boolean;
}

/** One rack. */
export interface Rack {
  name: string;
  timezone: string;
  network: { subnet?: string; domain: string };
  jumphost: Jumphost;
  identities: ReadonlyMap<string, Identity>;
  /** What unlisted callers get; absent: nothing. */
  defaultIdentity?: string;
  access: Access;
  logins: ReadonlyMap<string, Login>;
  infrastructure: ReadonlyMap<string, InfrastructureDevice>;
  machines: ReadonlyMap<string, Machine>;
  services: ServicesSettings;
  /** Absent where rack.yaml is valid. */
  disabled?: Disabled;
  /** Absolute folder of rack.yaml: what relative paths of secrets refer to. */
  dir: string;
}
