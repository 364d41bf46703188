/** Handlers of the HTTP API. They make no decisions. */
import type { AcceptedRequests, powerCycleDaemonApi } from '@skolo/api';
import { type Events, HttpProblem, type RouteHandlers, resolveId } from '@skolo/common';
import type { HostKeys } from '@skolo/equipment/transports';
import type { z } from 'zod';
import type { Cycles } from '../cycle/cycles.ts';
import type { PowerEvent } from '../events.ts';
import type { PendingOns } from '../keep/pending-ons.ts';
import type { AutoRepair } from '../repair/auto-repair.ts';
import {
  controllerStatus,
  machineStatuses,
  outletStatuses,
  queuedStatus,
  type View,
} from '../report/status.ts';
import type { Holds } from '../request/holds.ts';
import type { OwnDevices } from '../request/own-devices.ts';
import { RequestRejected, type Requests, unknownRejections } from '../request/requests.ts';
import { descriptionKey } from '../rules/descriptions.ts';
import { findTargets, shownTargets } from '../rules/targets.ts';
import type { CycleRecord } from '../state/records.ts';
import { agentKeyName } from './machine-access.ts';

interface ApiDeps {
  view: View;
  cycles: Cycles;
  events: Events<PowerEvent>;
  requests: Requests;
  holds: Holds;
  ownDevices: OwnDevices;
  repair: AutoRepair;
  pendingOns: PendingOns;
  hostKeys: HostKeys;
}

type Handlers = RouteHandlers<typeof powerCycleDaemonApi>;

export function apiHandlers(deps: ApiDeps): Handlers {
  const { view, holds, repair, hostKeys } = deps;
  return {
    ...requestHandlers(deps),
    ...cycleHandlers(deps),
    ...outletHandlers(deps),
    holds: () => ok({ holds: holds.list() }),
    ownHolds: ({ caller }) => ok(holds.coveringMachine(caller.name)),
    hold: async ({ body: { targets, ...asked }, caller }) => {
      const added = await holds.add(targets, { ...asked, by: caller.name });
      return { status: 201 as const, body: { holds: added } };
    },
    release: async ({ params }) => ok(await holds.release(params.id)),
    endOnIt: async ({ params }) => ok({ holds: await holds.endOnIt(params.incident) }),
    setBusy: async ({ params, body, caller, from }) =>
      ok(await holds.setBusy({ ...params, ...body, by: caller.name, from })),
    endBusy: async ({ params, query, caller }) =>
      ok(await holds.endBusy({ ...params, ...query, by: caller.name })),
    controllers: () =>
      ok({ controllers: view.controllers.all().map((each) => controllerStatus(each, view)) }),
    alerts: async ({ body }) => ok({ heard: await repair.receive(body.alerts) }),
    hostKeys: () => {
      const all = hostKeys.list().map(({ device, ...rest }) => ({ equipment: device, ...rest }));
      return ok({ hostKeys: all });
    },
    forgetHostKey: async ({ params: { equipment } }) => {
      const names = [equipment, agentKeyName(equipment)];
      const forgotten = await Promise.all(names.map((name) => hostKeys.forget(name)));
      const key = descriptionKey(view.rack(), equipment);
      const verdict = key === undefined ? undefined : view.store.descriptions.get(key);
      if (verdict?.state !== 'inverted')
        return ok({ equipment, forgotten: forgotten.includes(true) });
      await view.store.write([view.store.descriptions.remove(verdict.key)]);
      return ok({ equipment, forgotten: true, lifted: true as const });
    },
  };
}

function requestHandlers({
  requests,
  ownDevices,
}: ApiDeps): Pick<Handlers, 'requestCycles' | 'requestDeviceCycles' | 'switchOutlets'> {
  const accepted = async (taken: Promise<AcceptedRequests>) => ({
    status: 202 as const,
    body: await taken,
  });
  return {
    requestCycles: ({ body, headers, caller }) => {
      const { machines: targets, reason, skipRejected, ...how } = body;
      const ask = { action: 'cycle' as const, ...how };
      const key = headers['idempotency-key'];
      const by = caller.name;
      return accepted(
        requests.accept({ targets, ask, reason, skipRejected, by, origin: 'person', key }),
      );
    },
    requestDeviceCycles: ({ body, caller }) => accepted(ownDevices.accept(body, caller.name)),
    switchOutlets: ({ body, headers, caller }) => {
      const { targets, state: action, reason, force, ignoreLimits, skipRejected } = body;
      const ask = { action, mode: 'hard' as const, force, ignoreLimits };
      const key = headers['idempotency-key'];
      const by = caller.name;
      return accepted(
        requests.accept({ targets, ask, reason, skipRejected, by, origin: 'person', key }),
      );
    },
  };
}

function cycleHandlers({
  view,
  cycles,
  events,
}: ApiDeps): Pick<Handlers, 'cycles' | 'cycle' | 'cycleEvents' | 'cancelCycle'> {
  const { store } = view;
  return {
    cycles: ({ query }) =>
      ok({ cycles: select(view, query).map((record) => queuedStatus(store, record)) }),
    cycle: ({ params }) => ok(queuedStatus(store, find(view, params.id))),
    cycleEvents: ({ query }) => {
      const ids = new Set([query.ids ?? []].flat().join(',').split(',').filter(Boolean));
      const now = [...ids].map((id) => store.cycles.get(id) ?? noSuchCycle(id));
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
          for (const record of now) {
            send('cycle', queuedStatus(store, store.cycles.get(record.id) ?? record));
          }
          return unsubscribe;
        },
      };
    },
    cancelCycle: async ({ params, query, caller }) => {
      const { id } = find(view, params.id);
      const why = query.why === undefined ? '' : `: ${query.why}`;
      const isCancelled = await cycles.cancel(id, `cancelled by ${caller.name}${why}`);
      const now = find(view, id);
      if (!isCancelled || now.outcome !== 'cancelled') {
        throw new HttpProblem(409, whyNotCancelled(now));
      }
      return ok(queuedStatus(store, now));
    },
  };
}

function outletHandlers({
  view,
  pendingOns,
}: ApiDeps): Pick<Handlers, 'outlets' | 'forgetPendingOn' | 'machines'> {
  return {
    outlets: () => ok({ outlets: outletStatuses(view) }),
    forgetPendingOn: async ({ params: { outlet } }) => {
      const why = await pendingOns.forget(outlet);
      if (why === undefined) return ok({ outlet });
      if (why === 'not-pending') {
        const detail = `${outlet} is not waiting to be turned on; to list the outlets that are, run skolo power status`;
        throw new HttpProblem(404, detail);
      }
      const detail = `${outlet} cannot be forgotten, because its controller is in rack.yaml; the daemon will turn the outlet on as soon as possible`;
      throw new HttpProblem(409, detail);
    },
    machines: ({ query }) => {
      const names = [query.name ?? []].flat();
      const { targets, unknown } = findTargets(view.rack(), names);
      if (unknown.length > 0) throw new RequestRejected(unknownRejections(unknown));
      const chosen = names.length === 0 ? shownTargets(view.rack()) : targets;
      return ok({ machines: machineStatuses(chosen, view) });
    },
  };
}

function ok<T>(body: T) {
  return { status: 200 as const, body };
}

function whyNotCancelled({ target, action, outcome }: CycleRecord): string {
  if (outcome !== undefined) return `the request for ${target} has finished (${outcome})`;
  if (action === 'cycle') return `the cycle of ${target} has begun; it can no longer be cancelled`;
  return `the request to turn ${target} ${action} was accepted and cannot be cancelled; turn it ${action === 'on' ? 'off' : 'on'} instead`;
}

function noSuchCycle(id: string): never {
  throw new HttpProblem(404, `${id}: no such cycle; to list all cycles, run skolo power log`);
}

function find({ store: { cycles } }: View, written: string): CycleRecord {
  const id = resolveId(cycles.all.keys(), written, { noun: 'cycle', list: 'skolo power log' });
  return cycles.get(id) ?? noSuchCycle(id);
}

type Query = z.output<(typeof powerCycleDaemonApi)['cycles']['query']>;

function select(view: View, query: Query): CycleRecord[] {
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

/** A target that has left rack.yaml still has a history. @throws HttpProblem 404: the name is not, and never was, in use. */
function namesOf({ rack, store }: View, written: string): Set<string> {
  const { targets, unknown } = findTargets(rack(), [written]);
  const past = new Set([...store.cycles.all.values()].map(({ target }) => target));
  const strangers = unknown.filter(({ name }) => !past.has(name));
  if (strangers.length > 0) throw new RequestRejected(unknownRejections(strangers));
  return new Set([...unknown, ...targets].map(({ name }) => name));
}

function stateOf({ phase, begun }: CycleRecord): 'queued' | 'running' | 'finished' {
  if (phase === 'finished') return 'finished';
  return begun || (phase !== 'queued' && phase !== 'ready') ? 'running' : 'queued';
}
