/**
 * Accepts requests: everything is checked before anything is switched, and an accepted request is durable before the response. One request
 * at a time, so that the state that a request is checked against does not change meanwhile.
 */

import { randomUUID } from 'node:crypto';
import type { AcceptedRequests, Rejection } from '@skolo/api';
import type { Change } from '@skolo/base/durable';
import { type CrashNotes, HttpProblem, Repetitions } from '@skolo/common';
import { formatOutlet, type Outlet } from '@skolo/rack';
import type { Cycles } from '../cycle/cycles.ts';
import type { PartDeps } from '../part-deps.ts';
import { isAutomatic } from '../rules/holds.ts';
import { type Ask, checkRequest, type Snapshot, type Verdict } from '../rules/preconditions.ts';
import {
  defaultOffSeconds,
  findTargets,
  mostExplained,
  type Target,
  type UnknownTarget,
} from '../rules/targets.ts';
import { onAccepted } from '../state/outlet-records.ts';
import { type CycleRecord, type Feed, restoreOf } from '../state/records.ts';

export interface Request {
  targets: readonly string[];
  ask: Ask;
  reason: string;
  by: string;
  origin: CycleRecord['origin'];
  /** Leaves out rejected targets, instead of rejecting all. */
  skipRejected: boolean;
  /** The Idempotency-Key. */
  key?: string | undefined;
}

/** Part of the request is not allowed, so nothing was done. 404: nothing has these names. */
export class RequestRejected extends HttpProblem {
  constructor(rejected: readonly Rejection[]) {
    const [first] = rejected;
    const more = rejected.length > 1 ? `, and ${rejected.length - 1} more` : '';
    const what = `${first?.detail ?? 'rejected'}${more}`;
    const until = rejected
      .flatMap(({ until = [] }) => until)
      .sort()
      .at(-1);
    const detail = until === undefined ? what : `${what}; possible from ${until}`;
    const status = rejected.every(({ code }) => code === 'unknown') ? 404 : 409;
    super(status, detail, { members: { rejected } });
    // HTTP callers plan with the time. Logs and pdudaemon's clients only get the reason.
    this.message = what;
  }
}

/** Names that are not in the rack. A range may have thousands of them. */
export function unknownRejections(unknown: readonly UnknownTarget[]): Rejection[] {
  const rejections = unknown.slice(0, mostExplained).map(
    ({ name, why }): Rejection => ({
      target: name,
      code: 'unknown',
      detail: `${name}: ${why}`,
    }),
  );
  const more = unknown.length - rejections.length;
  if (more === 0) return rejections;
  const target = `${more} more`;
  return [...rejections, { target, code: 'unknown', detail: `${target} are not in rack.yaml` }];
}

interface RequestsDeps extends Pick<PartDeps, 'rack' | 'store' | 'clock' | 'emit'> {
  cycles: Cycles;
  /** What requests are checked against, now. */
  snapshot: () => Snapshot;
  crashNotes: Pick<CrashNotes, 'lift'>;
}

/** What was decided but only noted. */
function notDone(record: CycleRecord, detail: string): CycleRecord {
  const { requestedAt: at } = record;
  return { ...record, phase: 'finished', outcome: 'would-have', finishedAt: at, detail };
}

/** Finished cycles that are kept for people to look at. */
const keptCycles = 5000;

export class Requests {
  private readonly deps: RequestsDeps;
  private last: Promise<unknown> = Promise.resolve();
  private readonly repetitions: Repetitions<AcceptedRequests>;

  constructor(deps: RequestsDeps) {
    this.deps = deps;
    this.repetitions = new Repetitions(deps.store.requests, deps.clock);
  }

  /**
   * @throws RequestRejected
   * @throws HttpProblem 422: its key was used for a different request.
   * @throws StorageUnavailable Nothing was accepted.
   */
  accept(request: Request): Promise<AcceptedRequests> {
    const { key, by, targets, ask, reason, origin } = request;
    const content = [targets, ask, reason, origin];
    const taken = this.last
      .catch(() => undefined)
      .then(() =>
        this.repetitions.once({ key, by, content }, async (before, remember) => {
          return before ?? (await this.acceptNow(request, remember));
        }),
      );
    this.last = taken;
    return taken;
  }

  private async acceptNow(
    request: Request,
    remember: (accepted: AcceptedRequests) => Change[],
  ): Promise<AcceptedRequests> {
    const { store, cycles, emit } = this.deps;
    this.liftPauses(request);
    const { accepted, records, rejected } = this.decideAll(request);
    for (const rejection of rejected) emit({ type: 'rejected', rejection });
    if (rejected.length > 0 && (!request.skipRejected || accepted.length === 0)) {
      throw new RequestRejected(rejected);
    }
    const changes = [
      ...records.flatMap((record) => [store.cycles.put(record), ...onAccepted(store, record)]),
      ...remember({ cycles: accepted, rejected }),
      ...this.forgetOld(),
    ];
    if (changes.length > 0) await store.write(changes);
    for (const record of records) {
      emit({ type: 'cycle', record });
      if (record.phase !== 'finished') cycles.add(record.id);
    }
    return { cycles: accepted, rejected };
  }

  /** Also where the request joins a cycle that waits. */
  private liftPauses(request: Request): void {
    if (isAutomatic(request)) return;
    const { targets } = findTargets(this.deps.rack(), request.targets);
    for (const { device } of targets.flatMap(({ feeds }) => feeds))
      this.deps.crashNotes.lift(device);
  }

  private decideAll({ targets: written, ask, ...request }: Request) {
    const { rack } = this.deps;
    const { targets, unknown } = findTargets(rack(), written);
    const rejected = unknownRejections(unknown);
    const snapshot = this.deps.snapshot();
    const active = [...snapshot.active];
    const accepted: AcceptedRequests['cycles'] = [];
    const records: CycleRecord[] = [];
    const { by, origin } = request;
    const asked = { ...ask, person: origin === 'person' ? by : undefined };
    for (const target of targets) {
      const verdict = checkRequest(target, asked, { ...snapshot, active }, origin);
      if (verdict.is === 'rejected') rejected.push(verdict.rejection);
      else if (verdict.is === 'joined') {
        accepted.push({ id: verdict.cycle.id, target: target.name, joined: true });
      } else {
        const number = this.nextNumber();
        const batch = records[0]?.number ?? number;
        const order = { number, batch };
        const asked = { ...this.record(target, ask, verdict, request), ...order };
        const record = verdict.is === 'would-have' ? notDone(asked, verdict.why) : asked;
        records.push(record);
        if (record.phase !== 'finished') active.push(record);
        accepted.push({ id: record.id, target: target.name, joined: false });
      }
    }
    return { accepted, records, rejected };
  }

  private record(
    target: Target,
    ask: Ask,
    verdict: Verdict,
    { reason, by, origin }: Pick<Request, 'reason' | 'by' | 'origin'>,
  ): Omit<CycleRecord, 'number' | 'batch'> {
    const own = target.kind === 'machine' ? target.machine?.offSeconds : undefined;
    return {
      id: randomUUID(),
      target: target.name,
      action: ask.action,
      mode: ask.mode,
      feeds: target.feeds.map((feed) => this.feed(feed)),
      nativeOnly: verdict.is === 'allowed' && verdict.nativeOnly,
      offSecondsGiven: ask.offSeconds !== undefined || own !== undefined,
      offSeconds: ask.offSeconds ?? defaultOffSeconds(this.deps.rack(), target),
      reason,
      by,
      origin,
      force: ask.force,
      ...(ask.alone && { alone: true }),
      ...(ask.alongside && { alongside: true }),
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
    // Off now, so only the records tell how it was on.
    const known = { ...store.pendingOns.get(key), ...store.switchedOff.get(key) };
    return { controller: device, outlet, ...restoreOf(known) };
  }

  private forgetOld(): Change[] {
    const { cycles } = this.deps.store;
    const finished = [...cycles.all.values()]
      .filter(({ phase }) => phase === 'finished')
      .sort((a, b) => b.number - a.number);
    return finished.slice(keptCycles).map(({ id }) => cycles.remove(id));
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
