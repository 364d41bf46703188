/**
 * Taking requests: everything is checked before anything is touched, and what is accepted is durable before it is
 * answered. One request at a time, so that what one sees is what it decides on.
 */

import { createHash, randomUUID } from 'node:crypto';
import type { Refusal } from '@skolo/api';
import { type Clock, HttpProblem } from '@skolo/common';
import type { Change } from '@skolo/durable';
import { formatOutlet, type Outlet, type Rack } from '@skolo/rack';
import type { Cycles } from './cycles.ts';
import type { EmitPower } from './events.ts';
import { onAccepted } from './outlet-records.ts';
import { type Ask, checkRequest, type Snapshot } from './preconditions.ts';
import type { CycleRecord, Feed, RequestRecord } from './records.ts';
import type { Store } from './store.ts';
import { defaultOffSeconds, findTargets, type Target, type UnknownTarget } from './targets.ts';

export interface Request {
  targets: readonly string[];
  ask: Ask;
  reason: string;
  by: string;
  origin: CycleRecord['origin'];
  /** Leaves out those that are refused, instead of refusing all. */
  skipRefused: boolean;
  /** The Idempotency-Key. */
  key?: string | undefined;
}

export type Accepted = Pick<RequestRecord, 'cycles' | 'refused'>;

/** Some of what was asked may not be done; nothing was. */
export class RequestRefused extends Error {
  readonly code = 'REQUEST_REFUSED';
  readonly refused: Refusal[];

  constructor(refused: Refusal[]) {
    const [first] = refused;
    const more = refused.length > 1 ? `, and ${refused.length - 1} more` : '';
    super(`${first?.detail ?? 'refused'}${more}`);
    this.name = 'RequestRefused';
    this.refused = refused;
  }
}

/** Names that the rack does not have. */
export function unknownRefusals(unknown: readonly UnknownTarget[]): Refusal[] {
  return unknown.map(({ name, why }) => ({
    target: name,
    code: 'unknown',
    detail: `${name}: ${why}`,
  }));
}

export interface RequestsDeps {
  rack: () => Rack;
  store: Store;
  cycles: Cycles;
  /** What requests are checked against, now. */
  snapshot: () => Snapshot;
  clock: Clock;
  emit: EmitPower;
}

const daySeconds = 86_400;
/** Finished cycles that are kept, for people to look at. */
const keptCycles = 5000;

export class Requests {
  private readonly deps: RequestsDeps;
  private last: Promise<unknown> = Promise.resolve();
  /** When a key was used, in seconds since boot. */
  private readonly takenAt = new Map<string, number>();

  constructor(deps: RequestsDeps) {
    this.deps = deps;
  }

  /**
   * @throws RequestRefused
   * @throws HttpProblem 422: its key was used for another request.
   * @throws JournalDown, StorageUnavailable Nothing was accepted.
   */
  take(request: Request): Promise<Accepted> {
    const taken = this.last.catch(() => undefined).then(() => this.takeNow(request));
    this.last = taken;
    return taken;
  }

  private async takeNow(request: Request): Promise<Accepted> {
    const { store, cycles, emit } = this.deps;
    const repeated = this.repeated(request);
    if (repeated !== undefined) return { cycles: repeated.cycles, refused: repeated.refused };
    const { accepted, records, refused } = this.decideAll(request);
    for (const refusal of refused) emit({ type: 'refused', refusal });
    if (refused.length > 0 && (!request.skipRefused || accepted.length === 0)) {
      throw new RequestRefused(refused);
    }
    const changes = [
      ...records.flatMap((record) => [store.cycles.put(record), ...onAccepted(store, record)]),
      ...this.remember(request, { cycles: accepted, refused }),
      ...this.forgetOld(),
    ];
    if (changes.length > 0) await store.write(changes);
    for (const record of records) {
      emit({ type: 'cycle', record });
      cycles.add(record.id);
    }
    return { cycles: accepted, refused };
  }

  private decideAll({ targets: written, ask, ...request }: Request) {
    const { rack } = this.deps;
    const { targets, unknown } = findTargets(rack(), written);
    const refused = unknownRefusals(unknown);
    const snapshot = this.deps.snapshot();
    const active = [...snapshot.active];
    const accepted: Accepted['cycles'] = [];
    const records: CycleRecord[] = [];
    for (const target of targets) {
      const verdict = checkRequest(target, ask, { ...snapshot, active });
      if (verdict.is === 'refused') refused.push(verdict.refusal);
      else if (verdict.is === 'joined') {
        accepted.push({ id: verdict.cycle.id, target: target.name, joined: true });
      } else {
        const number = this.nextNumber();
        const batch = records[0]?.number ?? number;
        const order = { number, batch };
        const record = { ...this.record(target, ask, verdict.nativeOnly, request), ...order };
        records.push(record);
        active.push(record);
        accepted.push({ id: record.id, target: target.name, joined: false });
      }
    }
    return { accepted, records, refused };
  }

  private record(
    target: Target,
    ask: Ask,
    nativeOnly: boolean,
    { reason, by, origin }: Pick<Request, 'reason' | 'by' | 'origin'>,
  ): Omit<CycleRecord, 'number' | 'batch'> {
    const own = target.kind === 'machine' ? target.machine?.offSeconds : undefined;
    return {
      id: randomUUID(),
      target: target.name,
      action: ask.action,
      mode: ask.mode,
      feeds: target.feeds.map((feed) => this.feed(feed)),
      nativeOnly,
      offSecondsGiven: ask.offSeconds !== undefined || own !== undefined,
      offSeconds: ask.offSeconds ?? defaultOffSeconds(this.deps.rack(), target),
      reason,
      by,
      origin,
      force: ask.force,
      requestedAt: this.now(),
      phase: 'queued',
      begun: false,
      attempt: 0,
      sawOff: false,
      sawDown: false,
      interrupted: false,
      unwatched: false,
      steps: [],
    };
  }

  private feed({ device, outlet }: Outlet): Feed {
    const { store } = this.deps;
    const key = formatOutlet({ device, outlet });
    // Off now, so that only the records know how it was on.
    const mode = store.switchedOff.get(key)?.mode ?? store.pendingOns.get(key)?.mode;
    return { controller: device, outlet, ...(mode !== undefined && { mode }) };
  }

  private repeated({ key, by, ...request }: Request): RequestRecord | undefined {
    if (key === undefined) return undefined;
    const known = this.deps.store.requests.get(requestKey(by, key));
    if (known === undefined || this.isOld(known)) return undefined;
    if (known.content !== contentOf(request)) {
      const other =
        'this Idempotency-Key was used for another request; make a new key for a new request';
      throw new HttpProblem(422, other);
    }
    return known;
  }

  private remember({ key, by, ...request }: Request, accepted: Accepted): Change[] {
    if (key === undefined) return [];
    const content = contentOf(request);
    const record = { key: requestKey(by, key), content, at: this.now(), ...accepted };
    this.takenAt.set(record.key, this.deps.clock.uptime());
    return [this.deps.store.requests.put(record)];
  }

  private forgetOld(): Change[] {
    const { requests, cycles } = this.deps.store;
    const stale = [...requests.all.values()].filter((record) => this.isOld(record));
    for (const { key } of stale) this.takenAt.delete(key);
    const finished = [...cycles.all.values()]
      .filter(({ phase }) => phase === 'finished')
      .sort((a, b) => b.number - a.number);
    return [
      ...stale.map(({ key }) => requests.remove(key)),
      ...finished.slice(keptCycles).map(({ id }) => cycles.remove(id)),
    ];
  }

  /** By a clock that does not jump. Of what another process took only the wall time is known; the future means just now. */
  private isOld({ key, at }: RequestRecord): boolean {
    const { clock } = this.deps;
    const ago = Math.max(0, clock.now() - Date.parse(at)) / 1000;
    const takenAt = this.takenAt.get(key) ?? clock.uptime() - ago;
    this.takenAt.set(key, takenAt);
    return clock.uptime() - takenAt > daySeconds;
  }

  private numbered = 0;
  private nextNumber(): number {
    if (this.numbered === 0) {
      for (const { number } of this.deps.store.cycles.all.values()) {
        this.numbered = Math.max(this.numbered, number);
      }
    }
    this.numbered += 1;
    return this.numbered;
  }

  private now(): string {
    return new Date(this.deps.clock.now()).toISOString();
  }
}

function requestKey(by: string, key: string): string {
  return `${by}\n${key}`;
}

function contentOf({ targets, ask, reason, origin }: Omit<Request, 'key' | 'by'>): string {
  const content = JSON.stringify([targets, ask, reason, origin]);
  return createHash('sha256').update(content).digest('hex');
}
