/** What people need to know of rack.yaml: when it was loaded, its warnings, and what the last reload changed. */
import type { RackView } from '@skolo/api';
import type { Clock } from '@skolo/common';
import { formatIssue, type Rack, type RackWatch, rackWarnings } from '@skolo/rack';

/** More changes than people read. */
const mostChanges = 100;

export class RackFile {
  private readonly watch: Pick<RackWatch, 'rack' | 'degraded'>;
  private readonly unfollow: () => void;
  private loadedAt: number;
  private changes: string[] = [];
  /** To find them takes longer than to join all machines. */
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
      this.warnings = { rack, texts: rackWarnings(rack).map(formatIssue) };
    }
    return this.warnings.texts;
  }

  close(): void {
    this.unfollow();
  }
}

/** By entry: `machine rpi-1: added`, `services.router-backup: changed`. */
export function changesOf(before: Rack, after: Rack): string[] {
  const found = [
    ...compared('machine', before.machines, after.machines),
    ...compared('infrastructure', before.infrastructure, after.infrastructure),
    ...compared('login', before.logins, after.logins),
    ...compared('identity', before.identities, after.identities),
    ...compared('services.', entries(before.services), entries(after.services)),
    ...compared('', rest(before), rest(after)),
  ];
  if (found.length <= mostChanges) return found;
  return [...found.slice(0, mostChanges), `and ${found.length - mostChanges} more`];
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
    const isSame = JSON.stringify(before.get(name)) === JSON.stringify(after.get(name));
    return isSame ? [] : [`${title}: changed`];
  });
}

function entries(values: object): Map<string, unknown> {
  return new Map(Object.entries(values));
}

function rest({ name, timezone, network, jumphost, access, secrets, defaultIdentity }: Rack) {
  return entries({ rack: name, timezone, network, jumphost, access, secrets, defaultIdentity });
}
