/** Facts about rack.yaml for people: when it was loaded, its warnings, and what the last reload changed. */
import type { RackView } from '@skolo/api';
import { isObject } from '@skolo/base';
import type { Clock } from '@skolo/common';
import {
  formatIssue,
  formatOutlet,
  type Machine,
  type Outlet,
  type Rack,
  type RackWatch,
  rackOversights,
  withoutInferred,
} from '@skolo/rack';

/** More changes than people read. */
const mostChanges = 100;
/** Length of one change. */
const mostCharacters = 120;

export class RackFile {
  private readonly watch: Pick<RackWatch, 'rack' | 'degraded'>;
  private readonly unfollow: () => void;
  private loadedAt: number;
  private changes: string[] = [];
  /** Finding them takes longer than joining all machines. */
  private warnings: { rack: Rack; texts: string[] } | undefined;

  constructor(watch: RackWatch, clock: Pick<Clock, 'now'>) {
    this.watch = watch;
    this.loadedAt = clock.now();
    this.unfollow = watch.onChange((rack, previous) => {
      this.loadedAt = clock.now();
      this.changes = changesOf(previous, rack);
    });
  }

  view(): RackView['rackFile'] {
    return {
      loadedAt: new Date(this.loadedAt).toISOString(),
      warnings: this.warningsOf(this.watch.rack),
      problems: this.watch.degraded.map(({ what, why }) => `${what}: ${why}`),
      changes: this.changes,
    };
  }

  private warningsOf(rack: Rack): string[] {
    if (this.warnings?.rack !== rack) {
      const { pasted, warnings } = rackOversights(rack);
      this.warnings = { rack, texts: [...pasted, ...warnings].map(formatIssue) };
    }
    return this.warnings.texts;
  }

  close(): void {
    this.unfollow();
  }
}

/** By entry: `machine rpi-1: added`, `machine rpi-2: power switch-1/12 → switch-1/41`. */
export function changesOf(before: Rack, after: Rack): string[] {
  const found = [
    ...compared('machine', writtenMachines(before), writtenMachines(after)),
    ...compared('equipment', before.equipment, after.equipment),
    ...compared('login', before.logins, after.logins),
    ...compared('identity', before.identities, after.identities),
    ...compared('services.', entries(before.services), entries(after.services)),
    ...compared('', rest(before), rest(after)),
  ];
  if (found.length <= mostChanges) return found;
  return [...found.slice(0, mostChanges), `and ${found.length - mostChanges} more`];
}

function writtenMachines({ machines }: Rack): ReadonlyMap<string, Machine> {
  return new Map([...machines].map(([name, machine]) => [name, withoutInferred(machine)]));
}

function compared(
  kind: string,
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].flatMap((name) => {
    const title = kind === '' || kind.endsWith('.') ? `${kind}${name}` : `${kind} ${name}`;
    if (!before.has(name)) return [`${title}: added`];
    if (!after.has(name)) return [`${title}: removed`];
    const changes = fieldChanges(before.get(name), after.get(name));
    return changes.length === 0 ? [] : [`${title}: ${changes.join(', ')}`];
  });
}

/** `power switch-1/12 → switch-1/41`; without the values if they are long. */
function fieldChanges(before: unknown, after: unknown): string[] {
  if (!isObject(before) || !isObject(after)) {
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [fromTo(before, after)];
  }
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => {
    const [old, now] = [before[name], after[name]];
    return JSON.stringify(old) === JSON.stringify(now) ? [] : [`${name} ${fromTo(old, now)}`];
  });
}

function fromTo(before: unknown, after: unknown): string {
  const text = `${textOf(before)} → ${textOf(after)}`;
  return text.length <= mostCharacters ? text : 'changed';
}

/** Outlets as in the file. A rack never contains the values of secrets. */
function textOf(value: unknown): string {
  if (value === undefined) return 'none';
  if (Array.isArray(value)) return value.map(textOf).join(', ') || 'none';
  if (isOutlet(value)) return formatOutlet(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function isOutlet(value: unknown): value is Outlet {
  return isObject(value) && typeof value.device === 'string' && typeof value.outlet === 'string';
}

function entries(values: object): Map<string, unknown> {
  return new Map(Object.entries(values));
}

function rest({ name, timezone, network, jumphost, access, secrets, defaultIdentity }: Rack) {
  return entries({ rack: name, timezone, network, jumphost, access, secrets, defaultIdentity });
}
