/**
 * Records silences, and which of them are one incident. Only an answer ends a silence. Those that continue, or ended a moment ago, are in
 * memory, so that neither a full disk nor one that hangs hides what happens now.
 */
import type { Machine, RackView } from '@skolo/api';
import { sharedCause } from '@skolo/api/cause';
import { isSilent } from '@skolo/api/silence';
import { words } from '@skolo/api/words';
import { isoTime } from '@skolo/base';
import { wallTime } from '@skolo/common';
import type { Rack, Machine as RackMachine } from '@skolo/rack';
import type { MachineStateEvent } from '../events.ts';
import type { History } from '../history/history.ts';
import { causeOf, idOf, isUnanswered, type Silence, timesOf } from '../history/silence.ts';
import { cut } from '../join/machine.ts';
import { traitsOf } from '../join/shared-silence.ts';
import type { AgentView } from '../join/sources.ts';
import type { PartDeps } from '../part-deps.ts';
import {
  current,
  type Feeds,
  feedsIn,
  firstOf,
  incidentsOf,
  isNear,
  isWithin,
} from './grouping.ts';

interface IncidentsDeps extends Pick<PartDeps, 'rack' | 'clock'> {
  history: Pick<History, 'setSilence'>;
  agents: { view(name: string): Pick<AgentView, 'seenAt'> };
}

/** Smaller moves of the wall clock correct no time. */
const jitterMs = 5000;
const mostCauses = 20;
const mostTraits = 30;
const mostTasks = 20;

export class Incidents {
  private readonly deps: IncidentsDeps;
  private silences = new Map<string, Silence>();
  /** By machine: its last silence, if it has not answered since. */
  private readonly unanswered = new Map<string, Silence>();
  /** By silence: its times that this process measured. Others were measured by other clocks. */
  private readonly ownTimes = new Map<string, ReadonlySet<number>>();
  private feeds: { rack: Rack; of: Feeds } | undefined;
  /** When the computer booted, by the wall clock. */
  private bootedAt: number;
  private readonly startedAt: number;
  /** Silent machines as they are now, if that is not recorded yet. */
  private readonly late = new Map<string, Machine>();

  constructor(deps: IncidentsDeps) {
    this.deps = deps;
    this.bootedAt = wallTime(deps.clock, 0);
    this.startedAt = deps.clock.uptime();
  }

  /** What the history knows, in chronological order; before anything else. */
  recall(silences: readonly Silence[]): void {
    const { clock, rack } = this.deps;
    for (const silence of silences) {
      const { machine, at } = silence;
      const before = this.unanswered.get(machine);
      if (before && before.endedAt === undefined) {
        this.put({ ...before, endedAt: at, ending: 'not-known' });
      }
      this.silences.set(silence.id, silence);
      if (isUnanswered(silence)) this.unanswered.set(machine, silence);
      else this.unanswered.delete(machine);
    }
    // They left while this service was down.
    for (const silence of [...this.unanswered.values()]) {
      if (!rack().machines.has(silence.machine)) this.end(silence, 'left', clock.now());
    }
  }

  /** Incidents that continue. */
  shown(): RackView['incidents'] {
    const open = this.known().filter(({ endedAt }) => endedAt === undefined);
    return [...Map.groupBy(open, ({ incident }) => incident)].map(([id, own]) => ({
      id,
      since: isoTime(Math.min(...own.map(({ at }) => at))),
      machines: own.map(({ machine }) => machine),
    }));
  }

  /** Those that continue, or whose incident does. */
  known(): Silence[] {
    return [...this.silences.values()];
  }

  consume(event: MachineStateEvent): void {
    if (event.type === 'machine') this.note(event.machine);
    if (event.type !== 'removed') return;
    this.late.delete(event.name);
    const silence = this.unanswered.get(event.name);
    if (silence) this.end(silence, 'left', this.deps.clock.now());
  }

  /** A task of the machine was lost. @param since when it began, in milliseconds since 1970 */
  noteLost(machine: string, task: string, since: number): void {
    const latest = this.latestOf(machine);
    if (latest === undefined || since > latest.at + jitterMs || latest.lost.includes(task)) return;
    this.put({ ...latest, lost: [...latest.lost, task].slice(0, mostTasks) });
  }

  /** Forgets incidents that are over, and follows a wall clock that was set. */
  tick(): void {
    this.followClock();
    if (this.knowsCauses) for (const machine of this.late.values()) this.note(machine);
    const kept = [...current(this.silences.values(), this.deps.clock.now()).values()].flat();
    if (kept.length === this.silences.size) return;
    this.silences = new Map(kept.map((silence) => [silence.id, silence]));
    for (const id of this.ownTimes.keys()) if (!this.silences.has(id)) this.ownTimes.delete(id);
  }

  private note(machine: Machine): void {
    this.followClock();
    const { clock, rack } = this.deps;
    const now = clock.now();
    const { name, since, lastSeen = since, sentence, unresponsive: isPlanned = false } = machine;
    const seenAt = lastSeen === undefined ? now : Date.parse(lastSeen);
    const known = this.unanswered.get(name);
    this.late.delete(name);
    if (!isSilent(machine) && !isPlanned) {
      // Maintenance hides whether it responds.
      const hasAnswered =
        machine.condition !== 'maintenance' || seenAt > (known?.at ?? 0) + jitterMs;
      if (known && hasAnswered) this.answered(known, seenAt);
      return;
    }
    if (known && isPlanned && causeOf(known)?.kind !== 'planned') {
      this.end(known, 'planned', now);
      return;
    }
    const order = machine.orders.find(({ kind }) => kind === 'maintenance');
    const cause = isPlanned && order ? sharedCause('planned', cut(order.reason)) : machine.cause;
    const entry = rack().machines.get(name);
    if (known === undefined && entry === undefined) return;
    const open = known?.endedAt === undefined ? known : undefined;
    // Without an answer, the same silence continues.
    const silence = known
      ? reopened(known)
      : { ...this.begun(name, seenAt, isPlanned), traits: traitTexts(entry, machine) };
    const isSame = causeOf(silence)?.code === cause?.code;
    if (open && isSame) return;
    if (open && cause === undefined && !this.knowsCauses) {
      this.late.set(name, machine);
      return;
    }
    const why = words(cause ? cut(sentence) : 'no cause is known any more');
    const causes = isSame
      ? silence.causes
      : withoutRepeated([...silence.causes, { at: now, ...(cause && { cause }), why }]);
    if (!isSame) this.measured(silence, now);
    this.put({ ...silence, causes });
    this.group({ ...silence, causes });
  }

  /** In the incident that is not over for the machine, or in a new one. */
  private begun(name: string, at: number, isPlanned: boolean): Silence {
    const latest = this.latestOf(name);
    const { endedAt } = latest ?? {};
    const id = idOf(name, at);
    const isAgain =
      latest?.ending === 'answered' &&
      (causeOf(latest)?.kind === 'planned') === isPlanned &&
      endedAt !== undefined &&
      isWithin(at, endedAt);
    const all = this.known().filter(({ incident }) => incident === latest?.incident);
    const first = { id, machine: name, incident: id, at, causes: [], traits: [], lost: [] };
    const silence = { ...first, ...(isAgain && isNear(at, all) && continued(latest, all)) };
    this.ownTimes.delete(silence.id);
    this.heard(silence, at);
    return silence;
  }

  /** After a start, causes are only known when the agents have had the time to answer. */
  private get knowsCauses(): boolean {
    const { staleSeconds } = this.deps.rack().services['machine-state'];
    return this.deps.clock.uptime() - this.startedAt > 2 * staleSeconds;
  }

  private group(silence: Silence): void {
    const now = this.deps.clock.now();
    const all = current(this.silences.values(), now);
    const ids = [...new Set([silence.incident, ...incidentsOf(silence, all, this.feedsNow())])];
    const first = firstOf(ids, all);
    if (first === undefined || ids.length < 2) return;
    for (const each of ids.flatMap((id) => all.get(id) ?? [])) {
      if (each.incident !== first) this.put({ ...each, incident: first });
    }
  }

  private feedsNow(): Feeds {
    const rack = this.deps.rack();
    if (this.feeds?.rack !== rack) this.feeds = { rack, of: feedsIn(rack) };
    return this.feeds.of;
  }

  /** What has left its incident is there no more, whatever becomes of it. */
  private end(silence: Silence, ending: NonNullable<Silence['ending']>, at: number): void {
    if (silence.ending === ending) return;
    this.measured(silence, at);
    this.put({ ...silence, endedAt: silence.endedAt ?? at, ending });
  }

  private answered(silence: Silence, at: number): void {
    this.heard(silence, at);
    const isOpen = silence.endedAt === undefined;
    this.put({
      ...silence,
      ...(isOpen ? { endedAt: at, ending: 'answered' } : { answeredAt: at }),
    });
  }

  private latestOf(machine: string): Silence | undefined {
    return this.known().findLast((silence) => silence.machine === machine);
  }

  private put(silence: Silence): void {
    const { id, machine } = silence;
    this.silences.set(id, silence);
    if (isUnanswered(silence)) this.unanswered.set(machine, silence);
    else if (this.unanswered.get(machine)?.id === id) this.unanswered.delete(machine);
    this.deps.history.setSilence(silence);
  }

  /** Without an answer to this process, another one heard the last one, by its clock. */
  private heard(silence: Silence, at: number): void {
    if (this.deps.agents.view(silence.machine).seenAt !== undefined) this.measured(silence, at);
  }

  private measured({ id }: Pick<Silence, 'id'>, time: number): void {
    this.ownTimes.set(id, new Set(this.ownTimes.get(id)).add(time));
  }

  /** The times that this process measured stay as long ago as they are, by the clock that people see now. */
  private followClock(): void {
    const bootedAt = wallTime(this.deps.clock, 0);
    const moved = bootedAt - this.bootedAt;
    if (Math.abs(moved) < jitterMs) return;
    this.bootedAt = bootedAt;
    for (const silence of this.known()) {
      const own = this.ownTimes.get(silence.id) ?? new Set();
      if (own.size === 0) continue;
      this.ownTimes.set(silence.id, new Set([...own].map((time) => time + moved)));
      this.put(corrected(silence, (time) => (own.has(time) ? time + moved : time)));
    }
  }
}

function traitTexts(entry: RackMachine | undefined, machine: Machine): string[] {
  const traits = entry ? traitsOf(entry, machine) : [];
  return traits.map(({ kind, what }) => `${kind} ${what}`).slice(0, mostTraits);
}

/** What the next silence of a machine takes over from the latest one: also its place, if earlier ones have the same causes. */
function continued(latest: Silence, all: readonly Silence[]): Partial<Silence> {
  const { id, machine, incident, causes, lost } = latest;
  const earlier = all.filter((each) => each.machine === machine && each !== latest);
  const known = new Set(earlier.flatMap((each) => each.causes.map(({ cause }) => cause?.code)));
  const saysNoMore =
    earlier.length >= mostCauses ||
    (earlier.length > 0 && causes.every(({ cause }) => !cause || known.has(cause.code)));
  return { incident, ...(saysNoMore && { id, lost, times: timesOf(latest) + 1 }) };
}

/** What it was before it ended. */
function reopened({ endedAt: _, ending: __, ...rest }: Silence): Silence {
  return rest;
}

/** A cause that comes and goes does not fill the disk, and each one is kept. */
function withoutRepeated(causes: Silence['causes']): Silence['causes'] {
  if (causes.length <= mostCauses) return causes;
  const repeated = causes.findIndex(({ cause }, at) =>
    causes.some((other, n) => n > at && other.cause?.code === cause?.code),
  );
  return causes.toSpliced(Math.max(0, repeated), 1);
}

function corrected(silence: Silence, correct: (time: number) => number): Silence {
  const { at, endedAt, answeredAt, causes } = silence;
  return {
    ...silence,
    at: correct(at),
    ...(endedAt !== undefined && { endedAt: correct(endedAt) }),
    ...(answeredAt !== undefined && { answeredAt: correct(answeredAt) }),
    causes: causes.map((known) => ({ ...known, at: correct(known.at) })),
  };
}
