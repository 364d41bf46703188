/**
 * The inventory: ranges expanded, references checked, defaults filled in.
 * Secrets are references; packages/base/src/secrets reads them on use.
 */

import type { AccountCredentials, Login } from '@skolo/base/secrets';
import type { Device, Ports } from '@skolo/equipment/models';
import type { z } from 'zod';
import type { attachedDeviceSchema, machineSchema } from '../schema/machine-schema.ts';
import type { Outlet } from '../schema/outlets.ts';
import type { headSchema, identitySchema } from '../schema/rack-schema.ts';
import type { ServicesSettings } from '../schema/settings/settings.ts';

/** Plain JSON data. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** An account whose tokens the metadata server issues. */
export type Identity = Omit<z.output<typeof identitySchema>, 'credentials'> & {
  name: string;
  credentials: AccountCredentials;
};

export type Role = 'view' | 'operate' | 'admin';

/** Access to the services. */
export type Access = z.output<typeof headSchema.access>;

/** A phone or another device attached to a machine. Its full name is `<machine>-<name>`. */
export type AttachedDevice = z.output<typeof attachedDeviceSchema> & {
  name: string;
  fullName: string;
};

type Written = z.output<typeof machineSchema>;

/** A test machine. `swarming` contains settings that override `services.swarming-client`, checked by the same schema. */
export type Machine = Omit<Written, 'port' | 'ports' | 'power' | 'device' | 'devices'> & {
  name: string;
  ports: Ports;
  power: Outlet[];
  devices: AttachedDevice[];
  /** `uplink` is not in rack.yaml: it is the port that powers the machine. */
  uplinkIsInferred?: true;
};

/** A device with a model of packages/equipment/src/models: router, switch, PDU. */
export interface Equipment extends Device {
  mac?: string;
  /** An outlet or port, or `internet`. */
  uplink?: Outlet | 'internet';
  power: Outlet[];
  /** Whether rack.yaml enables its backup; its model may not support it. */
  backup: boolean;
  /** Whether a configuration is stored although the device shows only a part of it. */
  allowPartial?: boolean;
  /** Overrides of the service's time-outs. */
  backupLimits?: { idleSeconds?: number; totalSeconds?: number; maxBytes?: number };
}

export type Jumphost = Omit<z.output<typeof headSchema.jumphost>, 'power'> & { power: Outlet[] };

/**
 * The unusable part of a rack.yaml with errors. Addresses of disabled entries get no identity by network (`callers`,
 * `defaultIdentity`).
 */
export interface Disabled {
  /** Entries and keys, dotted, as in messages. */
  what: string[];
  /** Disabled machines and equipment. */
  names: ReadonlySet<string>;
  /** Every address in a disabled entry. */
  addresses: ReadonlySet<string>;
  /** The address of a disabled machine is unknown: it may be any of the subnet. */
  subnet: boolean;
  /** The network or section with the error is unknown: only machines get identities. */
  everyone: boolean;
  /** The wiring is incomplete: only feeds of machines and their devices are known. */
  wiring: boolean;
}

/** One rack. */
export interface Rack {
  name: string;
  timezone: string;
  /** Whether skolo acts, or only observes. A machine may differ; `whyNotActing` decides. */
  acts: boolean;
  network: { subnet?: string; gateway?: string; domain: string };
  jumphost: Jumphost;
  identities: ReadonlyMap<string, Identity>;
  /** Identity of unlisted callers; absent: no identity. */
  defaultIdentity?: string;
  access: Access;
  /** A URL, or `none`. Absent: that of kube/base, if there is one. */
  alertmanager?: string;
  /** Where the values of secrets are stored on a workstation. */
  secrets: z.output<typeof headSchema.secrets>;
  logins: ReadonlyMap<string, Login>;
  equipment: ReadonlyMap<string, Equipment>;
  machines: ReadonlyMap<string, Machine>;
  services: ServicesSettings;
  /** Absent if rack.yaml is valid. */
  disabled?: Disabled;
  /** Absolute directory of rack.yaml, the base of relative paths. */
  dir: string;
}
