/** The HTTP API: what is asked becomes a request, what is known is shown. Nothing is decided here. */

import type { PowerCycle, powerCycleDaemonApi } from '@skolo/api';
import { HttpProblem, isStorageUnavailable, type RouteHandlers, resolveId } from '@skolo/common';
import { JournalDown } from '@skolo/durable';
import type { HostKeys } from '@skolo/equipment';
import type { Cycles } from './cycles.ts';
import type { Events } from './events.ts';
import { BadHold, type Holds } from './holds.ts';
import type { OwnDevices } from './own-devices.ts';
import type { CycleRecord } from './records.ts';
import type { Repair } from './repair/repair.ts';
import { KeyReused, type Request, RequestRefused, unknownRefusals } from './requests.ts';
import type { Restorer } from './restorer.ts';
import { shownController, shownCycle, shownMachines, shownOutlets, type View } from './shown.ts';
import { allTargets, findTargets } from './targets.ts';
import { positions } from './turns.ts';

export interface ApiDeps {
  view: View;
  cycles: Cycles;
  events: Events;
  findCycle: (id: string) => PowerCycle | undefined;
  holds: Holds;
  ownDevices: OwnDevices;
  repair: Repair;
  restorer: Restorer;
  hostKeys: HostKeys;
}

export function apiHandlers(deps: ApiDeps): RouteHandlers<typeof powerCycleDaemonApi> {
  const { view, cycles, events, findCycle, holds, ownDevices, repair, restorer, hostKeys } = deps;

  async function take(request: Request) {
    const accepted = await view.requests.take(request).catch(problemOf);
    return { status: 202 as const, body: accepted };
  }

  return {
    requestCycles: ({ body, headers, caller }) => {
      const { machines, reason, mode, force, ignoreLimits, offSeconds, skipRefused } = body;
      return take({
        targets: machines,
        ask: { action: 'cycle', mode, force, offSeconds, ...(ignoreLimits && { ignoreLimits }) },
        reason,
        skipRefused,
        by: caller.name,
        origin: 'person',
        key: headers['idempotency-key'],
      });
    },
    requestDeviceCycles: async ({ body, from }) => {
      const accepted = await ownDevices.take(body, from).catch(problemOf);
      return { status: 202 as const, body: accepted };
    },
    cycles: ({ query }) => ({
      status: 200 as const,
      body: { cycles: select(deps, query).map((record) => shown(deps, record)) },
    }),
    cycle: ({ params }) => ({ status: 200 as const, body: shown(deps, find(deps, params.id)) }),
    cycleEvents: ({ query }) => {
      const ids = new Set([query.ids ?? []].flat().join(',').split(',').filter(Boolean));
      for (const id of ids) if (findCycle(id) === undefined) throw noSuchCycle(id);
      return {
        status: 200 as const,
        follow: (send) => {
          const unlisten = events.listen((cycle) => {
            if (query.ids === undefined || ids.has(cycle.id)) send('cycle', cycle);
          });
          for (const id of ids) {
            const cycle = findCycle(id);
            if (cycle !== undefined) send('cycle', cycle);
          }
          return unlisten;
        },
      };
    },
    cancelCycle: async ({ params, query, caller }) => {
      const record = find(deps, params.id);
      const why = query.why === undefined ? '' : `: ${query.why}`;
      const isCancelled = await cycles.cancel(record.id, `cancelled by ${caller.name}${why}`);
      const now = find(deps, params.id);
      if (!isCancelled || now.outcome !== 'cancelled') {
        throw new HttpProblem(409, whyNotCancelled(now));
      }
      return { status: 200 as const, body: shown(deps, now) };
    },
    switchOutlets: ({ body, headers, caller }) => {
      const { targets, state, reason, force, ignoreLimits, skipRefused } = body;
      return take({
        targets,
        ask: { action: state, mode: 'hard', force, ...(ignoreLimits && { ignoreLimits }) },
        reason,
        skipRefused,
        by: caller.name,
        origin: 'person',
        key: headers['idempotency-key'],
      });
    },
    outlets: () => ({ status: 200 as const, body: { outlets: shownOutlets(view) } }),
    forgetOwed: async ({ params: { outlet } }) => {
      const why = await restorer.giveUp(outlet).catch(problemOf);
      if (why === undefined) return { status: 200 as const, body: { outlet } };
      if (why === 'not-owed') {
        throw new HttpProblem(404, `${outlet} is not owed; skolo power status shows what is`);
      }
      const detail = `${outlet}: its device is in rack.yaml, so it is turned on as soon as that can be`;
      throw new HttpProblem(409, detail);
    },
    machines: ({ query }) => {
      const names = [query.name ?? []].flat();
      const { targets, unknown } = findTargets(view.rack(), names);
      if (unknown.length > 0) return problemOf(new RequestRefused(unknownRefusals(unknown)));
      const chosen = names.length === 0 ? allTargets(view.rack()) : targets;
      return { status: 200 as const, body: { machines: shownMachines(chosen, view) } };
    },
    controllers: () => ({
      status: 200 as const,
      body: { controllers: view.controllers.all().map((each) => shownController(each, view)) },
    }),
    holds: () => ({ status: 200 as const, body: { holds: holds.list() } }),
    ownHolds: ({ from }) => ({
      status: 200 as const,
      body: { holds: holds.coveringMachineAt(from) },
    }),
    hold: async ({ body: { targets, until, reason }, caller }) => {
      const added = await holds.add(targets, { until, by: caller.name, reason }).catch(problemOf);
      return { status: 201 as const, body: { holds: added } };
    },
    release: async ({ params }) => {
      const hold = await holds.release(params.id).catch(problemOf);
      return { status: 200 as const, body: hold };
    },
    alerts: async ({ body }) => ({
      status: 200 as const,
      body: { heard: await repair.hear(body.alerts) },
    }),
    hostKeys: () => ({ status: 200 as const, body: { hostKeys: hostKeys.list() } }),
    forgetHostKey: async ({ params: { device } }) => ({
      status: 200 as const,
      body: { device, forgotten: await hostKeys.forget(device) },
    }),
  };
}

function whyNotCancelled({ target, action, outcome }: CycleRecord): string {
  if (outcome !== undefined) return `what was asked of ${target} is finished (${outcome})`;
  if (action === 'cycle') return `the cycle of ${target} has begun; it can no longer be cancelled`;
  return `that ${target} is to be ${action} holds since it was accepted; ask for the opposite`;
}

/** A cycle as it is shown, with its place among those that wait. */
export function shown({ cycles }: Pick<ApiDeps, 'cycles'>, record: CycleRecord): PowerCycle {
  const waits = record.phase === 'queued' || record.phase === 'ready';
  return shownCycle(record, waits ? positions(cycles.waiting()).get(record.id) : undefined);
}

function noSuchCycle(id: string): HttpProblem {
  return new HttpProblem(404, `${id}: no such cycle; skolo power log lists them`);
}

function find({ view }: ApiDeps, written: string): CycleRecord {
  const { cycles } = view.store;
  const id = resolveId(cycles.all.keys(), written, { noun: 'cycle', list: 'skolo power log' });
  const record = cycles.get(id);
  if (record === undefined) throw noSuchCycle(id);
  return record;
}

interface Query {
  target?: string | undefined;
  state?: 'queued' | 'running' | 'finished' | undefined;
  outcome?: string | undefined;
  by?: string | undefined;
  since?: string | undefined;
  limit: number;
}

function select({ view }: ApiDeps, query: Query): CycleRecord[] {
  const { target, state, outcome, by, since, limit } = query;
  const targets = target === undefined ? undefined : namesOf(view, target);
  return [...view.store.cycles.all.values()]
    .filter(
      (record) =>
        (targets === undefined || targets.has(record.target)) &&
        (state === undefined || stateOf(record) === state) &&
        (outcome === undefined || record.outcome === outcome) &&
        (by === undefined || record.by === by) &&
        (since === undefined || Date.parse(record.requestedAt) >= Date.parse(since)),
    )
    .sort((a, b) => b.number - a.number)
    .slice(0, limit);
}

/** One that has left rack.yaml still has a past. @throws HttpProblem 404: nothing has, or had, this name. */
function namesOf({ rack, store }: View, written: string): Set<string> {
  const { targets, unknown } = findTargets(rack(), [written]);
  const past = new Set([...store.cycles.all.values()].map(({ target }) => target));
  const strangers = unknown.filter(({ name }) => !past.has(name));
  if (strangers.length > 0) return problemOf(new RequestRefused(unknownRefusals(strangers)));
  return new Set([...unknown, ...targets].map(({ name }) => name));
}

function stateOf({ phase, begun }: CycleRecord): 'queued' | 'running' | 'finished' {
  if (phase === 'finished') return 'finished';
  return begun || (phase !== 'queued' && phase !== 'ready') ? 'running' : 'queued';
}

/** What the parts throw, as the answer to whoever asked. */
export function problemOf(error: unknown): never {
  if (error instanceof RequestRefused) {
    const { refused } = error;
    const status = refused.every(({ code }) => code === 'unknown') ? 404 : 409;
    const untils = refused.flatMap(({ until }) => (until === undefined ? [] : [until]));
    const hint = untils.length === 0 ? '' : `; possible from ${untils.sort().at(-1)}`;
    throw new HttpProblem(status, `${error.message}${hint}`, { members: { refused } });
  }
  if (error instanceof KeyReused) throw new HttpProblem(422, error.message);
  if (error instanceof BadHold) throw new HttpProblem(400, error.message);
  if (error instanceof JournalDown || isStorageUnavailable(error)) {
    throw new HttpProblem(
      503,
      'nothing was accepted, because the journal cannot be written; /readyz says why, try again once the disk is well',
      { headers: { 'retry-after': '30' }, cause: error },
    );
  }
  throw error;
}
