/**
 * Facts of a model of equipment that have nothing to do with how it is spoken to: which outlets it has, whether they
 * can be switched, whether its configuration can be backed up. The drivers are elsewhere, and find the rest here.
 */
import { z } from 'zod';
import type { Accounts } from './accounts.ts';
import type { CreateBackup } from './backup.ts';
import type { CreateConnectedHostsReader } from './connected-hosts.ts';
import type { Transport } from './device.ts';
import type { ModelOutlets } from './outlets.ts';

export interface Model {
  name: string;
  /** What people call it. */
  label: string;
  /** What Oxidized, RANCID and netmiko call it, where that is another name. */
  elsewhere?: readonly string[];
  /** Ways to speak to it, the usual one first. */
  transports: readonly [Transport, ...Transport[]];
  /** Outlets that feed something; absent: it cannot switch power. */
  power?: {
    outlets: Numbering;
    /** How long off, for a cycle that says nothing else. */
    offSeconds: number;
    /** Whether the device itself does off, wait and on, so that the caller may die in between. */
    nativeCycle: boolean;
    /** What switches them. */
    load: () => Promise<{ outlets: ModelOutlets }>;
  };
  /** Network ports that something can be plugged into; absent: nothing gets its network from it. */
  network?: Numbering;
  /** How it is asked who is plugged into its ports, or why it is not; absent: it has no ports. */
  connectedHosts?:
    | { load: () => Promise<{ connectedHosts: CreateConnectedHostsReader }> }
    | { no: string };
  /** How its configuration is backed up, or why it is not. */
  backup: { load: () => Promise<{ backup: CreateBackup }> } | { no: string };
  /**
   * How its devices name themselves, in their configuration or in what else they say while they are read. Each pattern may have a
   * group: the hardware, the firmware. Absent: they do not say it, or it is not known.
   */
  reported?: { model: RegExp; firmware: RegExp };
  /**
   * What a reading may send after the first response that it depends on, for people: a plan, which sends nothing, cannot know it.
   * Absent: nothing more, or of outlets the same for each.
   */
  branches?: Branches;
  /** How passwords and keys that sign in there are changed, or why they are not. */
  accounts: { load: () => Promise<{ accounts: Accounts }> } | { no: string };
  /** Keys of its own in rack.yaml. */
  options: z.ZodRawShape;
}

interface Branches {
  outlets?: readonly string[];
  configuration?: readonly string[];
  hosts?: readonly string[];
}

/** How the outlets or ports of a device are counted. `options` are the device's own, with defaults. */
export interface Numbering {
  /** `outlet`, `port`, `relay`. */
  noun: string;
  /** What exists, for people: `1 to 48`. */
  range(options: Options): string;
  /** The canonical name of an outlet (`0/14` is `14`), or undefined where the device has no such outlet. */
  find(outlet: string, options: Options): string | undefined;
  /** All of them, where they are counted. */
  all?(options: Options): string[];
  /** The only outlet, where there is but one: then it need not be written. */
  only?(options: Options): string | undefined;
}

export type Options = Readonly<Record<string, unknown>>;

function count(options: Options, key: string): number {
  const value = options[key];
  return typeof value === 'number' ? value : 0;
}

/**
 * Outlets that are counted: from `first`, as many as the option `key` says and `extra` more, each with `prefix` before
 * its number. `alias` matches another notation.
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

/** Interfaces with names. `short` gives the canonical name, or undefined where it is none. */
export function named(
  noun: string,
  range: string,
  short: (name: string) => string | undefined,
): Numbering {
  return { noun, range: () => range, find: short };
}

/** Names that match a pattern; `long` maps a long form of the first part to the short one. Both may be in any case. */
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

/** A time in seconds; fractions are fine. */
export function seconds(min: number, max: number) {
  return z.number().min(min).max(max);
}

/** How a value of an entry of many names is spread over them, where its schema says so. */
export const spreading = z.registry<{ as: 'each' | 'literal' }>();

/** All names of an entry have the same, and brackets in it are no range. */
export function literal<T extends z.ZodType>(schema: T): T {
  const own = schema.clone();
  spreading.add(own, { as: 'literal' });
  return own;
}
