/** Parts that are omitted from the usable part: entries by name, or one key of an entry. */

import { isObject } from '@skolo/base';
import { expandRange, RangeSyntaxError } from '../ranges/ranges.ts';
import { canonicalAddress } from '../schema/network-fields.ts';

export type RangedSection = 'equipment' | 'machines';

/** A key that is dropped because it refers to a disabled entry. */
export type DroppedKey = 'identity' | 'login' | 'power' | 'uplink' | 'devices';

interface Recorded {
  /** The key in the file: the name or a range. */
  key: string;
  value: () => unknown;
}

export class Omissions {
  private readonly recorded = new Map<string, Recorded[]>();
  private readonly entries = new Set<string>();
  private readonly keys = new Map<string, Set<DroppedKey>>();

  /** Records a name of a section with ranges, and its value in the file. */
  record(section: RangedSection, key: string, name: string, value: () => unknown): void {
    const known = this.recorded.get(id(section, name)) ?? [];
    if (known.some((each) => each.key === key)) return;
    this.recorded.set(id(section, name), [...known, { key, value }]);
  }

  /** For a name, or a key in the file. */
  isOmitted(section: RangedSection, keyOrName: string): boolean {
    return this.entries.has(id(section, keyOrName));
  }

  /** Whether all entries of the name have an address, valid or not. */
  hasAddress(section: RangedSection, name: string): boolean {
    const records = this.recorded.get(id(section, name)) ?? [];
    return records.length > 0 && records.every(({ value }) => hasKey(value(), 'address'));
  }

  /** Returns false if it was already known. */
  omit(section: RangedSection, keyOrName: string): boolean {
    if (this.isOmitted(section, keyOrName)) return false;
    this.entries.add(id(section, keyOrName));
    return true;
  }

  dropped(section: RangedSection, name: string): ReadonlySet<DroppedKey> {
    return this.keys.get(id(section, name)) ?? new Set();
  }

  /** Returns false if it was already known. */
  drop(section: RangedSection, name: string, key: DroppedKey): boolean {
    const known = this.keys.get(id(section, name)) ?? new Set();
    if (known.has(key)) return false;
    this.keys.set(id(section, name), new Set([...known, key]));
    return true;
  }

  /** Disabled names of the section. */
  namesOf(section: RangedSection): string[] {
    return this.disabled(section).map(({ name }) => name);
  }

  /** All texts in disabled entries of the section. */
  textsOf(section: RangedSection): string[] {
    return this.disabled(section).flatMap(({ records }) =>
      records.flatMap(({ value }) => stringsIn(value())),
    );
  }

  /** All IP addresses in disabled entries. */
  addresses(): string[] {
    const texts = [...this.textsOf('machines'), ...this.textsOf('equipment')];
    const all = texts.flatMap(expanded);
    return [...new Set(all.flatMap((text) => canonicalAddress(text.trim()) ?? []))];
  }

  private disabled(section: RangedSection): { name: string; records: Recorded[] }[] {
    return [...this.recorded].flatMap(([key, records]) => {
      const [of, name = ''] = key.split('\n');
      const isDisabled =
        this.entries.has(key) || records.some((each) => this.entries.has(id(section, each.key)));
      return of === section && isDisabled ? [{ name, records }] : [];
    });
  }
}

function hasKey(value: unknown, key: string): boolean {
  return isObject(value) && Object.hasOwn(value, key);
}

function id(section: RangedSection, name: string): string {
  return `${section}\n${name}`;
}

/** All texts in a value, including keys. */
export function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(stringsIn);
  if (isObject(value))
    return Object.entries(value).flatMap(([key, item]) => [key, ...stringsIn(item)]);
  return [];
}

function expanded(text: string): string[] {
  if (!text.includes('[')) return [text];
  try {
    return expandRange(text);
  } catch (error) {
    if (!(error instanceof RangeSyntaxError)) throw error;
    return [];
  }
}
