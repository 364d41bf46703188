/** What a lenient reading of rack.yaml leaves out: whole entries by name, or one key of an entry. */
import { isMap } from '../plain.ts';
import { normalAddressesIn, stringsIn } from './mentions.ts';

export type RangedSection = 'infrastructure' | 'machines';

/** A key of an entry that is dropped because what it names is disabled. */
export type DroppedKey = 'identity' | 'login' | 'power' | 'uplink' | 'devices';

interface Seen {
  /** The key of the file that has the name: the name itself, or a range. */
  key: string;
  value: () => unknown;
}

export class Omissions {
  private readonly seen = new Map<string, Seen[]>();
  private readonly entries = new Set<string>();
  private readonly keys = new Map<string, Set<DroppedKey>>();

  /** Called for each name of a ranged section; `value` is what the file says of it. */
  note(section: RangedSection, key: string, name: string, value: () => unknown): void {
    const known = this.seen.get(id(section, name)) ?? [];
    if (known.some((each) => each.key === key)) return;
    this.seen.set(id(section, name), [...known, { key, value }]);
  }

  /** Of a name, or of all names of a key of the file. */
  isOmitted(section: RangedSection, keyOrName: string): boolean {
    return this.entries.has(id(section, keyOrName));
  }

  /** Whether the file gives all entries of that name an address, right or wrong. */
  hasAddress(section: RangedSection, name: string): boolean {
    const seen = this.seen.get(id(section, name)) ?? [];
    return seen.length > 0 && seen.every(({ value }) => hasKey(value(), 'address'));
  }

  /** Returns whether that is news. */
  omit(section: RangedSection, keyOrName: string): boolean {
    if (this.isOmitted(section, keyOrName)) return false;
    this.entries.add(id(section, keyOrName));
    return true;
  }

  dropped(section: RangedSection, name: string): ReadonlySet<DroppedKey> {
    return this.keys.get(id(section, name)) ?? new Set();
  }

  /** Returns whether that is news. */
  drop(section: RangedSection, name: string, key: DroppedKey): boolean {
    const known = this.keys.get(id(section, name)) ?? new Set();
    if (known.has(key)) return false;
    this.keys.set(id(section, name), new Set([...known, key]));
    return true;
  }

  /** Names of the section that are disabled. */
  namesOf(section: RangedSection): string[] {
    return this.disabled(section).map(({ name }) => name);
  }

  /** Every text of a disabled entry of the section. */
  textsOf(section: RangedSection): string[] {
    return this.disabled(section).flatMap(({ seen }) =>
      seen.flatMap(({ value }) => stringsIn(value())),
    );
  }

  /** Every IP address that a disabled entry has anywhere. */
  addresses(): string[] {
    const texts = [...this.textsOf('machines'), ...this.textsOf('infrastructure')];
    return [...new Set(normalAddressesIn(texts))];
  }

  private disabled(section: RangedSection): { name: string; seen: Seen[] }[] {
    return [...this.seen].flatMap(([key, seen]) => {
      const [of, name = ''] = key.split('\n');
      const isDisabled =
        this.entries.has(key) || seen.some((each) => this.entries.has(id(section, each.key)));
      return of === section && isDisabled ? [{ name, seen }] : [];
    });
  }
}

function hasKey(value: unknown, key: string): boolean {
  return isMap(value) && Object.hasOwn(value, key);
}

function id(section: RangedSection, name: string): string {
  return `${section}\n${name}`;
}
