/**
 * Holds: a person repairs something ("under repair until …"), is on it, or a job is running there. How long each lasts. Times are those of
 * the uptime; the wall clock only names them.
 */
import { randomUUID } from 'node:crypto';
import type { Hold, HoldKind } from '@skolo/api';
import { count, readBootId } from '@skolo/base';
import { HttpProblem, Locks, type NewAuditEntry, resolveId, wallTime } from '@skolo/common';
import type { PartDeps } from '../part-deps.ts';
import {
  busyOn,
  disturbedWith,
  holdRules,
  holdsOf,
  overdueHours,
  rejectingKinds,
} from '../rules/holds.ts';
import { findTarget, findTargets, phonesOf, type Target, whyUnknown } from '../rules/targets.ts';
import { uptimeAt } from '../rules/uptime-at.ts';
import { type CycleRecord, feedKey, type HoldRecord } from '../state/records.ts';
import { RequestRejected, unknownRejections } from './requests.ts';

interface HoldsDeps extends Pick<PartDeps, 'rack' | 'store' | 'clock' | 'log'> {
  trail: {
    /** Records a change before it is made, and its result. */
    around<T extends { [key: string]: unknown }>(
      entry: Omit<NewAuditEntry, 'outcome' | 'answer'>,
      work: () => Promise<T>,
    ): Promise<T>;
  };
  /** Cycles that have begun or are about to, so that nothing stops them any more. */
  begun: () => CycleRecord[];
  /** The ID of this boot; default: the kernel's. */
  bootId?: string;
}

/** Seconds since boot. */
interface Times {
  since: number;
  until: number;
  /** The end as it was requested: milliseconds since 1970. */
  written?: number;
  /** Since when one job has followed another on the target. */
  jobsSince?: number;
}

interface Held extends Times {
  record: HoldRecord;
}

interface Job {
  name: string;
  until?: string | undefined;
  text: string;
  job: string;
  by: string;
  /** The address of the request. */
  from: string;
}

const hour = 3600;
const defaultBusyHours = 2;
/** Whoever ends a job and begins the next one does not keep automatic repair away for ever. */
const pauseBetweenJobs = 900;
/** As much as a request may take. Within it, the text of a time is not changed. */
const slackMs = 2000;

type Wanted = Omit<HoldRecord, 'id' | 'since' | 'until' | 'boot'> & { id?: string };

/** Since when one job has followed another. */
function chainBegan({ since, jobsSince = since }: Held): number {
  return jobsSince;
}

export class Holds {
  private readonly deps: HoldsDeps;
  private readonly bootId: string;
  private readonly locks = new Locks();
  /**
   * By ID, with the times that count. A job is here before it is in the journal, because no cycle may begin meanwhile, and until the next
   * one has followed it.
   */
  private readonly held = new Map<string, Held>();

  constructor(deps: HoldsDeps) {
    this.deps = deps;
    // Without an ID from the kernel, each process counts as a boot.
    this.bootId = deps.bootId ?? readBootId() ?? randomUUID();
  }

  /** Call it once the journal has been read. */
  load(): void {
    for (const record of this.deps.store.holds.all.values()) {
      this.held.set(record.id, { record, ...this.earlierTimes(record) });
    }
  }

  /** The active holds, earliest end first. */
  list(): HoldRecord[] {
    return this.active()
      .map((hold) => this.shown(hold))
      .sort((a, b) => Date.parse(a.until) - Date.parse(b.until));
  }

  /**
   * Those that take a machine, or one of its phones, out of service, and those because of which its agent repairs no phone. Strangers have
   * root on the machine, so it does not learn which devices it depends on: their holds are shown as holds of the machine.
   */
  coveringMachine(name: string): { holds: Hold[]; noRepair: Hold[] } {
    const { store, clock } = this.deps;
    const rack = this.deps.rack();
    const names = [name, ...phonesOf(rack, name).map(({ fullName }) => fullName)];
    const { targets } = findTargets(rack, names);
    const mayKnow = new Set([rack.name, ...names]);
    const holds = this.list();
    const state = {
      rack,
      holds,
      now: clock.now(),
      switchedOff: store.switchedOff.all,
      pendingOns: store.pendingOns.all,
    };
    const covering = new Set(
      targets.flatMap((target) => [
        ...rejectingKinds.flatMap((kind) => holdsOf(target, state, kind)),
        ...busyOn(target, { origin: 'agent', by: name }, state),
      ]),
    );
    const shown = holds
      .filter((hold) => covering.has(hold))
      .map((hold) => (mayKnow.has(hold.target) ? hold : { ...hold, target: name }));
    const isClosed = ({ kind }: Hold) => holdRules[kind].newTasks === 'no';
    return { holds: shown.filter(isClosed), noRepair: shown.filter((hold) => !isClosed(hold)) };
  }

  /**
   * @throws RequestRejected A name is not in the rack.
   * @throws HttpProblem 400: its end is in the past, or too far in the future; no incident.
   * @throws StorageUnavailable Nothing is held.
   */
  async add(
    names: readonly string[],
    {
      until,
      ...asked
    }: Pick<Hold, 'kind' | 'by' | 'reason' | 'incident'> & { until?: string | undefined },
  ): Promise<Hold[]> {
    const { rack, store } = this.deps;
    const { kind, by, incident } = asked;
    if ((kind === 'on-it') !== (incident !== undefined)) {
      throw new HttpProblem(400, 'incident: specify it with kind on-it, and only with this kind');
    }
    const { defaultHours, maxHours } = rack().services['power-cycle-daemon'].holds;
    const most = holdRules[kind].mostHours ?? maxHours;
    const times = this.wanted(kind, until, Math.min(defaultHours, most), most);
    const targets = this.namesOf(names);
    const added = targets.map((target) => this.record({ ...asked, target }, times));
    // A new hold replaces an existing one of the same thing. Several people may be on it.
    const previous = [...store.holds.all.values()].filter(
      (hold) =>
        hold.kind === kind &&
        targets.includes(hold.target) &&
        (kind === 'out-of-service' || hold.by === by),
    );
    await store.write([
      ...previous.map(({ id }) => store.holds.remove(id)),
      ...added.map(({ record }) => store.holds.put(record)),
    ]);
    for (const { id } of previous) this.held.delete(id);
    for (const each of added) this.held.set(each.record.id, each);
    return added.map(({ record }) => record);
  }

  /**
   * A job begins on a machine, or continues.
   *
   * @throws RequestRejected The name is not in the rack.
   * @throws HttpProblem 400: its end is in the past, or too far in the future; 409: the machine is being cycled.
   * @throws StorageUnavailable, AuditUnavailable It does not count.
   */
  async setBusy({ name, until, text: reason, job, by, from }: Job): Promise<Hold> {
    const target = this.target(name);
    const times = this.wanted('busy', until, defaultBusyHours, holdRules.busy.mostHours ?? 0);
    const seconds = times.until - times.since;
    const wanted = { kind: 'busy' as const, target: target.name, by, reason, job, from, seconds };
    return await this.locks.hold(`${target.name} ${by} ${job}`, async () => {
      const known = this.jobOf(target.name, by, job);
      return this.shown(
        known
          ? await this.prolong(known, wanted, times.until)
          : await this.beginJob(this.record(wanted, times), target),
      );
    });
  }

  private async beginJob(begun: Held, target: Target): Promise<Held> {
    const { store, trail } = this.deps;
    const { record, since } = begun;
    const { id, by, from, until, reason, job } = record;
    const cycle = this.deps.begun().find((each) => this.turnsOff(each, target));
    if (cycle !== undefined) {
      const what = cycle.action === 'off' ? 'turned off' : 'power-cycled';
      const detail = `${target.name} is being ${what} (${cycle.id}); try again when this has finished`;
      throw new HttpProblem(409, detail);
    }
    const previous = this.jobsOn(target.name).filter(
      (each) => since - each.until < pauseBetweenJobs,
    );
    const held = { ...begun, jobsSince: Math.min(since, ...previous.map(chainBegan)) };
    this.held.set(id, held);
    try {
      const input = { until, ...(job && { job }) };
      const entry = { who: by, what: 'setBusy', target: target.name, from, input, why: reason };
      await trail.around(entry, async () => {
        await store.write([store.holds.put(record)]);
        return { id };
      });
    } finally {
      if (store.holds.get(id) === undefined) this.held.delete(id);
    }
    for (const each of previous) if (each.until <= since) this.held.delete(each.record.id);
    return held;
  }

  private async prolong(known: Held, wanted: Wanted, until: number): Promise<Held> {
    const { store } = this.deps;
    const { id, seconds = 0 } = known.record;
    known.until = until;
    // After a restart, it counts for as long as the journal says.
    if ((wanted.seconds ?? 0) <= seconds + slackMs / 1000) return known;
    const { record } = this.record({ ...wanted, id }, known);
    await store.write([store.holds.put(record)]);
    return Object.assign(known, { record });
  }

  /** The caller's job has ended. Never waits for the disk. @throws RequestRejected @throws HttpProblem 404: there is none */
  async endBusy({ name, by, job }: Pick<Job, 'name' | 'by' | 'job'>): Promise<Hold> {
    const { store, clock } = this.deps;
    const { name: target } = this.target(name);
    return await this.locks.hold(`${target} ${by} ${job}`, async () => {
      const known = this.jobOf(target, by, job);
      if (known === undefined) {
        const which = job === '' ? 'job' : `job ${job}`;
        throw new HttpProblem(404, `${target}: ${by} has no ${which} there, or it has ended`);
      }
      const shown = this.shown(known);
      known.until = clock.uptime();
      await store.writeLater([store.holds.remove(known.record.id)]);
      return shown;
    });
  }

  /** @throws HttpProblem 404: there is none, or it has ended. */
  async release(written: string): Promise<Hold> {
    const { store } = this.deps;
    const names = { noun: 'hold', list: 'skolo power holds' };
    const id = resolveId(store.holds.all.keys(), written, names);
    const hold = this.held.get(id);
    if (hold === undefined) throw new Error(`hold ${id} has no times`);
    const shown = this.shown(hold);
    await store.write([store.holds.remove(id)]);
    this.held.delete(id);
    return shown;
  }

  /** An incident is over. @throws StorageUnavailable */
  async endOnIt(incident: string): Promise<Hold[]> {
    const { store } = this.deps;
    const over = this.list().filter((hold) => hold.kind === 'on-it' && hold.incident === incident);
    await store.write(over.map(({ id }) => store.holds.remove(id)));
    for (const { id } of over) this.held.delete(id);
    return over;
  }

  /** Removes those that have ended, so that none counts again after a restart. Never throws. */
  async forgetEnded(): Promise<void> {
    const { store, clock, log } = this.deps;
    const now = clock.uptime();
    const over = [...this.held.values()].filter(({ until }) => until <= now);
    for (const { record, until } of over) {
      if (now - until >= pauseBetweenJobs) this.held.delete(record.id);
    }
    const ended = over.flatMap(({ record: { id } }) => store.holds.get(id) ?? []);
    if (ended.length === 0) return;
    await store.writeLater(ended.map(({ id }) => store.holds.remove(id)));
    for (const { kind, target, by, reason } of ended) {
      log.info({ kind, target, by, reason }, 'hold ended');
    }
  }

  /** @throws HttpProblem 400 */
  private wanted(
    kind: HoldKind,
    until: string | undefined,
    defaultHours: number,
    mostHours: number,
  ): Times {
    const { clock } = this.deps;
    const since = clock.uptime();
    const now = clock.now();
    const written = until === undefined ? now + defaultHours * hour * 1000 : Date.parse(until);
    const seconds = (written - now) / 1000;
    if (seconds <= 0)
      throw new HttpProblem(400, `until: ${until} is in the past; specify a future time`);
    if (seconds <= mostHours * hour + slackMs / 1000) {
      return { since, until: since + seconds, written };
    }
    const what = kind === 'busy' ? 'a job' : kind === 'on-it' ? 'on-it' : 'a hold';
    const again = kind === 'busy' ? ', and send it again before that' : '';
    const detail = `${what} can last at most ${count(mostHours, 'hour')}; specify an earlier end${again}`;
    throw new HttpProblem(400, detail);
  }

  private record(hold: Wanted, { since, until, written }: Times): Held {
    const { id = randomUUID() } = hold;
    const boot = { id: this.bootId, since, until };
    const end = written === undefined ? this.wall(until) : new Date(written).toISOString();
    const record = { ...hold, id, since: this.wall(since), until: end, boot };
    return { record, since, until };
  }

  private active(): Held[] {
    const now = this.deps.clock.uptime();
    return [...this.held.values()].filter(({ until }) => until > now);
  }

  /**
   * Of one from an earlier process: as written, if the computer has not booted since; otherwise by the wall clock, but not for longer than
   * it was to last. A job counts for its full time again, because only memory knew that it continued.
   */
  private earlierTimes({ kind, since, until, boot, seconds }: HoldRecord): Times {
    const { clock } = this.deps;
    const now = clock.uptime();
    const isSameBoot = boot?.id === this.bootId && boot.since <= now;
    const term = seconds ?? (Date.parse(until) - Date.parse(since)) / 1000;
    const left = Math.min((Date.parse(until) - clock.now()) / 1000, term);
    return {
      since: isSameBoot ? boot.since : uptimeAt(clock, since),
      until: kind === 'busy' ? now + term : isSameBoot ? boot.until : now + left,
    };
  }

  /** With its times by the current wall clock. */
  private shown({ record, since, until, jobsSince }: Held): HoldRecord {
    const isOverdue =
      record.kind === 'busy' && this.deps.clock.uptime() - since >= overdueHours * hour;
    return {
      ...record,
      since: this.wall(since, record.since),
      until: this.wall(until, record.until),
      ...(jobsSince !== undefined && { jobsSince: this.wall(jobsSince) }),
      ...(isOverdue && { overdue: true }),
    };
  }

  /** @param written the time's text so far */
  private wall(uptime: number, written?: string): string {
    const ms = wallTime(this.deps.clock, uptime);
    const isSame = written !== undefined && Math.abs(Date.parse(written) - ms) < slackMs;
    return isSame ? written : new Date(ms).toISOString();
  }

  private jobOf(target: string, by: string, job: string): Held | undefined {
    const now = this.deps.clock.uptime();
    return this.jobsOn(target).find(
      ({ record, until }) => record.by === by && (record.job ?? '') === job && until > now,
    );
  }

  /** Including those that have ended recently. */
  private jobsOn(target: string): Held[] {
    return [...this.held.values()].filter(
      ({ record }) => record.kind === 'busy' && record.target === target,
    );
  }

  private turnsOff({ target: name, action, feeds: own }: CycleRecord, busy: Target): boolean {
    if (action === 'on') return false;
    const { rack, store } = this.deps;
    const keys = new Set(own.map(feedKey));
    const already = [...store.switchedOff.all.values()].filter((off) => !keys.has(feedKey(off)));
    const feeds = own.map(({ controller: device, outlet }) => ({ device, outlet }));
    const target = { name, kind: 'outlet' as const, ...findTarget(rack(), name), feeds };
    return disturbedWith(target, rack(), already).has(busy.name);
  }

  /** @throws RequestRejected */
  private target(name: string): Target {
    const rack = this.deps.rack();
    const target = findTarget(rack, name);
    if (target !== undefined) return target;
    throw new RequestRejected(unknownRejections([{ name, why: whyUnknown(rack, name) }]));
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
