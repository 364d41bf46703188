/**
 * Holds ("under repair until …"): prevent power cycles of a machine, of equipment and what it powers or connects, or of the rack; how
 * long a hold lasts.
 */
import { randomUUID } from 'node:crypto';
import type { Hold } from '@skolo/api';
import { count } from '@skolo/base';
import { type Clock, HttpProblem, resolveId } from '@skolo/common';
import type { PartDeps } from '../part-deps.ts';
import { holdsOf } from '../rules/preconditions.ts';
import { findTargets, phonesOf } from '../rules/targets.ts';
import { RequestRejected, unknownRejections } from './requests.ts';

interface HoldsDeps extends Pick<PartDeps, 'rack' | 'store'> {
  clock: Pick<Clock, 'now'>;
}

const hourMs = 3_600_000;

export class Holds {
  private readonly deps: HoldsDeps;

  constructor(deps: HoldsDeps) {
    this.deps = deps;
  }

  /** The active holds, earliest end first. */
  list(): Hold[] {
    const now = this.deps.clock.now();
    return [...this.deps.store.holds.all.values()]
      .filter(({ until }) => Date.parse(until) > now)
      .sort((a, b) => Date.parse(a.until) - Date.parse(b.until));
  }

  /**
   * Those that cover a machine, or one of its phones. Strangers have root on the machine, so it does not learn which devices it depends on:
   * their holds are shown as holds of the machine.
   */
  coveringMachine(name: string): Hold[] {
    const rack = this.deps.rack();
    const names = [name, ...phonesOf(rack, name).map(({ fullName }) => fullName)];
    const { targets } = findTargets(rack, names);
    const now = this.deps.clock.now();
    const mayKnow = new Set([rack.name, ...names]);
    return this.list()
      .filter((hold) =>
        targets.some((target) => holdsOf(target, { rack, holds: [hold], now }).length > 0),
      )
      .map((hold) => (mayKnow.has(hold.target) ? hold : { ...hold, target: name }));
  }

  /**
   * @throws RequestRejected A name is not in the rack.
   * @throws HttpProblem 400: its end is in the past, or too far in the future.
   * @throws StorageUnavailable Nothing is held.
   */
  async add(
    names: readonly string[],
    { until, by, reason }: { until: string | undefined; by: string; reason: string },
  ): Promise<Hold[]> {
    const { rack, store, clock } = this.deps;
    const { defaultHours, maxHours } = rack().services['power-cycle-daemon'].holds;
    const now = clock.now();
    const end = until === undefined ? now + defaultHours * hourMs : Date.parse(until);
    if (end <= now)
      throw new HttpProblem(400, `until: ${until} is in the past; specify a future time`);
    if (end > now + maxHours * hourMs) {
      throw new HttpProblem(
        400,
        `a hold can last at most ${count(maxHours, 'hour')}; specify an earlier end`,
      );
    }
    const targets = this.namesOf(names);
    const records = targets.map(
      (target): Hold => ({
        id: randomUUID(),
        target,
        by,
        since: new Date(now).toISOString(),
        until: new Date(end).toISOString(),
        reason,
      }),
    );
    // A new hold replaces an existing one of the same thing.
    const previous = [...store.holds.all.values()].filter(
      (hold) => targets.includes(hold.target) || Date.parse(hold.until) <= now,
    );
    await store.write([
      ...previous.map(({ id }) => store.holds.remove(id)),
      ...records.map((record) => store.holds.put(record)),
    ]);
    return records;
  }

  /** @throws HttpProblem 404: there is none, or it has ended. */
  async release(written: string): Promise<Hold> {
    const { store } = this.deps;
    const names = { noun: 'hold', list: 'skolo power holds' };
    const id = resolveId(store.holds.all.keys(), written, names);
    const hold = store.holds.get(id);
    if (hold === undefined) throw new Error(`hold ${id} has no record`);
    await store.write([store.holds.remove(id)]);
    return hold;
  }

  private namesOf(names: readonly string[]): string[] {
    const rack = this.deps.rack();
    const others = names.filter((name) => name !== rack.name);
    const { targets, unknown } = findTargets(rack, others);
    if (unknown.length > 0) {
      throw new RequestRejected(unknownRejections(unknown));
    }
    const own = names.includes(rack.name) ? [rack.name] : [];
    return [...own, ...targets.map(({ name }) => name)];
  }
}
