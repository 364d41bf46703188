/** Handlers of the HTTP API. Nothing is decided here. */
import type { powerCycleDaemonApi } from '@skolo/api';
import { type Events, HttpProblem, type RouteHandlers, resolveId } from '@skolo/common';
import { JournalDown, StorageUnavailable } from '@skolo/durable';
import type { HostKeys } from '@skolo/equipment';
import type { z } from 'zod';
import type { Cycles } from '../cycle/cycles.ts';
import type { PowerEvent } from '../events.ts';
import type { Restorer } from '../keep/restorer.ts';
import type { AutoRepair } from '../repair/auto-repair.ts';
import {
  controllerStatus,
  machineStatuses,
  outletStatuses,
  queuedStatus,
  type View,
} from '../report/status.ts';
import type { CycleRecord } from '../state/records.ts';
import type { Holds } from './holds.ts';
import { agentKeyName } from './machine-access.ts';
import type { OwnDevices } from './own-devices.ts';
import { type Request, RequestRefused, type Requests, unknownRefusals } from './requests.ts';
import { allTargets, findTargets } from './targets.ts';

interface ApiDeps {
  view: View;
  cycles: Cycles;
  events: Events<PowerEvent>;
  requests: Requests;
  holds: Holds;
  ownDevices: OwnDevices;
  repair: AutoRepair;
  restorer: Restorer;
  hostKeys: HostKeys;
}

export function apiHandlers(deps: ApiDeps): RouteHandlers<typeof powerCycleDaemonApi> {
  const { view, requests, cycles, events, holds, ownDevices, repair, restorer, hostKeys } = deps;
  const { store } = view;

  async function take(request: Request) {
    const accepted = await requests.take(request).catch(problemOf);
    return { status: 202 as const, body: accepted };
  }

  return {
    requestCycles: ({ body, headers, caller }) => {
      const { machines, reason, skipRefused, ...ask } = body;
      return take({
        targets: machines,
        ask: { action: 'cycle', ...ask },
        reason,
        skipRefused,
        by: caller.name,
        origin: 'person',
        key: headers['idempotency-key'],
      });
    },
    requestDeviceCycles: async ({ body, caller }) => {
      const accepted = await ownDevices.take(body, caller.name).catch(problemOf);
      return { status: 202 as const, body: accepted };
    },
    cycles: ({ query }) =>
      ok({ cycles: select(deps, query).map((record) => queuedStatus(store, record)) }),
    cycle: ({ params }) => ok(queuedStatus(store, find(deps, params.id))),
    cycleEvents: ({ query }) => {
      const ids = new Set([query.ids ?? []].flat().join(',').split(',').filter(Boolean));
      for (const id of ids) if (store.cycles.get(id) === undefined) throw noSuchCycle(id);
      return {
        status: 200 as const,
        follow: (send) => {
          const unsubscribe = events.consume((event) => {
            if (event.type !== 'cycle') return;
            const { record } = event;
            if (query.ids === undefined || ids.has(record.id)) {
              send('cycle', queuedStatus(store, record));
            }
          });
          for (const id of ids) {
            const record = store.cycles.get(id);
            if (record !== undefined) send('cycle', queuedStatus(store, record));
          }
          return unsubscribe;
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
      return ok(queuedStatus(store, now));
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
    outlets: () => ok({ outlets: outletStatuses(view) }),
    forgetOwed: async ({ params: { outlet } }) => {
      const why = await restorer.giveUp(outlet).catch(problemOf);
      if (why === undefined) return ok({ outlet });
      if (why === 'not-pending') {
        const detail = `${outlet} is not waiting to be turned on; skolo power status shows what is`;
        throw new HttpProblem(404, detail);
      }
      const detail = `${outlet}: its device is in rack.yaml, so it is turned on as soon as that can be`;
      throw new HttpProblem(409, detail);
    },
    machines: ({ query }) => {
      const names = [query.name ?? []].flat();
      const { targets, unknown } = findTargets(view.rack(), names);
      if (unknown.length > 0) return problemOf(new RequestRefused(unknownRefusals(unknown)));
      const chosen = names.length === 0 ? allTargets(view.rack()) : targets;
      return ok({ machines: machineStatuses(chosen, view) });
    },
    controllers: () =>
      ok({ controllers: view.controllers.all().map((each) => controllerStatus(each, view)) }),
    holds: () => ok({ holds: holds.list() }),
    ownHolds: ({ caller }) => ok({ holds: holds.coveringMachine(caller.name) }),
    hold: async ({ body: { targets, until, reason }, caller }) => {
      const added = await holds.add(targets, { until, by: caller.name, reason }).catch(problemOf);
      return { status: 201 as const, body: { holds: added } };
    },
    release: async ({ params }) => {
      const hold = await holds.release(params.id).catch(problemOf);
      return ok(hold);
    },
    alerts: async ({ body }) => ok({ heard: await repair.receive(body.alerts) }),
    hostKeys: () => ok({ hostKeys: hostKeys.list() }),
    forgetHostKey: async ({ params: { device } }) => {
      const names = [device, agentKeyName(device)];
      const forgotten = await Promise.all(names.map((name) => hostKeys.forget(name)));
      return ok({ device, forgotten: forgotten.includes(true) });
    },
  };
}

function ok<T>(body: T) {
  return { status: 200 as const, body };
}

function whyNotCancelled({ target, action, outcome }: CycleRecord): string {
  if (outcome !== undefined) return `what was asked of ${target} is finished (${outcome})`;
  if (action === 'cycle') return `the cycle of ${target} has begun; it can no longer be cancelled`;
  return `that ${target} is to be ${action} holds since it was accepted; ask for the opposite`;
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

type Query = z.output<(typeof powerCycleDaemonApi)['cycles']['query']>;

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

/** Errors of the parts as problems. */
function problemOf(error: unknown): never {
  if (error instanceof RequestRefused) {
    const { refused } = error;
    const status = refused.every(({ code }) => code === 'unknown') ? 404 : 409;
    const untils = refused.flatMap(({ until }) => (until === undefined ? [] : [until]));
    const hint = untils.length === 0 ? '' : `; possible from ${untils.sort().at(-1)}`;
    throw new HttpProblem(status, `${error.message}${hint}`, { members: { refused } });
  }
  if (error instanceof JournalDown || error instanceof StorageUnavailable) {
    throw new HttpProblem(
      503,
      'nothing was accepted, because the journal cannot be written; /readyz says why, try again once the disk is well',
      { headers: { 'retry-after': '30' }, cause: error },
    );
  }
  throw error;
}
