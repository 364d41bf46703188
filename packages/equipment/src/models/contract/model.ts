/**
 * Facts about a model that do not depend on how to communicate with it: which outlets it has, whether they can be switched, whether its
 * configuration can be backed up. The drivers are in separate files, and use these facts.
 */
import { z } from 'zod';
import type { CreateBackup } from './backup.ts';
import type { CreateConnectedHostsReader } from './connected-hosts.ts';
import type { Transport } from './device.ts';
import type { ModelOutlets } from './outlets.ts';

export interface Model {
  name: string;
  /** Name for people. */
  label: string;
  /** The model whose code it has; absent: it has its own. */
  base?: string;
  /** Its previous names, which rack.yaml may still use. */
  was?: readonly string[];
  /** Names in Oxidized, RANCID and netmiko, if different. */
  elsewhere?: readonly string[];
  /** Transports, the usual one first. */
  transports: readonly [Transport, ...Transport[]];
  /** Outlets that feed something; absent: it cannot switch power. */
  power?: {
    outlets: Numbering;
    /** Default off time of a cycle. */
    offSeconds: number;
    /** Whether the device performs off, wait and on by itself, so that the caller may die in between. */
    nativeCycle: boolean;
    /** Whether its outlet is a server's chassis, which gets its power from another feed; absent: no. */
    isChassis?: (options: Options) => boolean;
    /**
     * What its commands are, if rack.yaml or a table describes them: they may be wrong, and its power-on may be a toggle. Absent: they are
     * code.
     */
    description?: (options: Options) => unknown;
    /** What switches them. */
    load: () => Promise<{ outlets: ModelOutlets }>;
  };
  /** Network ports that something can be plugged into; absent: it does not connect anything to the network. */
  network?: Numbering;
  /** How to read which hosts are connected to its ports, or why that is not possible; absent: it has no ports. */
  connectedHosts?:
    | { load: () => Promise<{ connectedHosts: CreateConnectedHostsReader }> }
    | { no: string };
  /** How its configuration is backed up, or why that is not possible. */
  backup: Backup | { no: string };
  /**
   * How its devices identify themselves, in their configuration or in other output during a reading. Each pattern may have a group: the
   * hardware, the firmware. Absent: they do not, or it is not known.
   */
  reported?: { model: RegExp; firmware: RegExp };
  /**
   * What a reading may send depending on the first response, for people: a plan, which sends nothing, cannot know it. Absent: nothing more,
   * or for outlets the same for each.
   */
  branches?: Branches;
  /**
   * The readings for which an account suffices that may only read; absent: none, or it is not known. A driver of `outlets` must not keep
   * sessions, because the account that switches cannot use the session of another one.
   */
  readOnly?: readonly Readable[];
  /** Its own keys in rack.yaml. */
  options: z.ZodRawShape;
  /** What its keys must not say together; absent: each key is checked by itself. */
  contradictions?: (options: Options) => Contradiction[];
}

export interface Contradiction {
  /** The key to change. */
  key: string;
  /** Continues a sentence about it: what is wrong, and what to do. */
  what: string;
}

interface Backup {
  load: () => Promise<{ backup: CreateBackup }>;
  /** What it takes to be shown the whole configuration, for people: `privilege level 15`. */
  needs: string;
  /** How a reading detects a part of it, for people; absent: nothing shows that something is missing. */
  seenBy?: string;
}

/** What services read from a device. */
export const readables = ['outlets', 'configuration', 'hosts'] as const;
export type Readable = (typeof readables)[number];

interface Branches {
  outlets?: readonly string[];
  settings?: readonly string[];
  configuration?: readonly string[];
  hosts?: readonly string[];
}

/** How a device's outlets or ports are counted. `options` are the device's own, with defaults. */
export interface Numbering {
  /** `outlet`, `port`, `relay`. */
  noun: string;
  /** The existing ones, for people: `1 to 48`. */
  range(options: Options): string;
  /** The canonical name of an outlet (`0/14` is `14`), or undefined if the device has no such outlet. */
  find(outlet: string, options: Options): string | undefined;
  /** All of them, if they are counted. */
  all?(options: Options): string[];
  /** The only outlet, if there is just one, which rack.yaml may omit. */
  only?(options: Options): string | undefined;
}

export type Options = Readonly<Record<string, unknown>>;

function count(options: Options, key: string): number {
  const value = options[key];
  return typeof value === 'number' ? value : 0;
}

/**
 * Numbered outlets: starting with `first`, as many as the option `key` says plus `extra`, each with `prefix` before its number. `alias`
 * matches another notation.
 */
export function counted(
  noun: string,
  key: string,
  { first = 1, extra = 0, prefix = '', alias }: CountedOptions = {},
): Numbering {
  const last = (options: Options) => count(options, key) + extra + first - 1;
  const name = (number: number | string) => `${prefix}${number}`;
  return {
    noun,
    range: (options) =>
      last(options) === first ? `only ${name(first)}` : `${name(first)} to ${name(last(options))}`,
    find(outlet, options) {
      const plain = outlet.startsWith(prefix) ? outlet.slice(prefix.length) : '';
      const digits = alias?.exec(outlet)?.[1] ?? plain;
      if (!/^(0|[1-9]\d{0,4})$/.test(digits)) return undefined;
      return Number(digits) >= first && Number(digits) <= last(options) ? name(digits) : undefined;
    },
    all: (options) =>
      Array.from({ length: last(options) - first + 1 }, (_, at) => name(first + at)),
    only: (options) => (last(options) === first ? name(first) : undefined),
  };
}

interface CountedOptions {
  first?: number;
  extra?: number;
  prefix?: string;
  alias?: RegExp;
}

/** Named interfaces. `short` returns the canonical name, or undefined if it is not one. */
export function named(
  noun: string,
  range: string,
  short: (name: string) => string | undefined,
): Numbering {
  return { noun, range: () => range, find: short };
}

/** Names that match a pattern; `long` maps a long form of the first part to the short one. Case is ignored in both. */
export function interfaces(
  range: string,
  pattern: RegExp,
  long: Readonly<Record<string, string>> = {},
): Numbering {
  return named('port', range, (name) => {
    const kind = /^[A-Za-z-]*/.exec(name)?.[0] ?? '';
    const match = Object.entries(long).find((forms) =>
      forms.some((form) => form.toLowerCase() === kind.toLowerCase()),
    );
    const short = match === undefined ? name : `${match[1]}${name.slice(kind.length)}`;
    return pattern.test(short) ? short : undefined;
  });
}

/** A whole number between two bounds. */
export function whole(min: number, max: number) {
  return z.number().int().min(min).max(max);
}

/** The key for the time limit of a device's requests. */
export function timeoutSeconds(usual: number) {
  return seconds(1, 120).default(usual).describe('How long a response may take.');
}

/** A time in seconds; fractions are allowed. */
export function seconds(min: number, max: number) {
  return z.number().min(min).max(max);
}

/** How a value is distributed over the names of an entry, if its schema says so. */
export const spreading = z.registry<{ as: 'each' | 'literal' }>();

/** All names of an entry have the same value, and its brackets are not a range. */
export function literal<T extends z.ZodType>(schema: T): T {
  const own = schema.clone();
  spreading.add(own, { as: 'literal' });
  return own;
}
