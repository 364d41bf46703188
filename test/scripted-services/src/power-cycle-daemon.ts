/**
 * A power-cycle daemon without power: the API over a real socket, with the conventions of every service (sign-in, schemas, problems), and
 * cycles with scripted lives.
 *
 * `URL/flaky` carries out each changing request, but breaks the connection before its first answer.
 */
import type { RequestListener } from 'node:http';
import { powerCycleDaemonApi, type Rejection } from '@skolo/api';
import { createApp, HttpProblem, type RouteHandlers, type ServiceContext } from '@skolo/common';
import { expandRange } from '@skolo/rack';
import { ago } from './ago.ts';
import { ScriptedCycle } from './cycles/lives.ts';
import { CycleStreams } from './cycles/streams.ts';
import { examplePower } from './example/power.ts';
import { type Call, type Place, type ScriptedService, startScriptedService } from './service.ts';
import type { TestTokens } from './tokens.ts';
import type { PowerWorld } from './worlds.ts';

interface TestDaemon extends ScriptedService {
  /** How often cycles were requested, and how many distinct requests that were. */
  asked: { times: number; keys: Set<string> };
}

/** The routes that people use; the others are for agents, Alertmanager and programs. */
const {
  requestDeviceCycles: _ownDevices,
  ownHolds: _ownHolds,
  alerts: _alerts,
  cycleEvents: _events,
  ...api
} = powerCycleDaemonApi;

interface DaemonOptions {
  tokens: Pick<TestTokens, 'file'>;
  world?: PowerWorld;
  /** The speed of time in the lives of cycles. */
  stepMs?: number;
  calls?: Call[];
  place?: Place;
}

/** Default: the rack of the examples. */
export async function startPowerCycleDaemon({
  tokens,
  world = examplePower,
  stepMs = 5,
  calls = [],
  place,
}: DaemonOptions): Promise<TestDaemon> {
  const asked: TestDaemon['asked'] = { times: 0, keys: new Set() };
  const handler = (context: ServiceContext) => handlerOf(context, { world, asked, stepMs, calls });
  const service = await startScriptedService('power-cycle-daemon', tokens, handler, place);
  return { ...service, asked };
}

type Scripted = Pick<TestDaemon, 'asked'> &
  Required<Pick<DaemonOptions, 'world' | 'stepMs' | 'calls'>>;

function handlerOf(
  context: ServiceContext,
  { world, asked, stepMs, calls }: Scripted,
): RequestListener {
  const cycles = new Map<string, ScriptedCycle>();
  const streams = new CycleStreams(cycles, { past: world.cycles, stepMs, signal: context.signal });
  const app = createApp(context, { api, handlers: handlersOf(cycles, { world, asked, calls }) });
  const broken = new Set<string>();
  return (request, response) => {
    const flaky = request.url?.startsWith('/flaky/');
    if (flaky) request.url = request.url?.slice('/flaky'.length) ?? '/';
    const what = `${request.method} ${request.url}`;
    if (flaky && request.method !== 'GET' && !broken.has(what)) {
      broken.add(what);
      Object.assign(response, { end: () => request.socket.destroy() });
    }
    if (request.url?.startsWith('/v1/power-cycles/events')) streams.open(request, response);
    else app(request, response);
  };
}

type Handlers = RouteHandlers<typeof api>;
type Parts = Pick<Scripted, 'world' | 'asked' | 'calls'> & {
  cycles: Map<string, ScriptedCycle>;
  newId(kind: string): string;
};

function handlersOf(
  cycles: Map<string, ScriptedCycle>,
  scripted: Pick<Scripted, 'world' | 'asked' | 'calls'>,
): Handlers {
  let ids = 1000;
  const parts: Parts = { ...scripted, cycles, newId: (kind) => `${kind}${++ids}` };
  return {
    ...requestHandlers(parts),
    ...cycleHandlers(parts),
    ...holdHandlers(parts),
    ...rackHandlers(scripted.world),
  };
}

type CycleRequest = Pick<ScriptedCycle['now'], 'action' | 'mode' | 'reason' | 'by' | 'force'> & {
  targets: string[];
  offSeconds?: number | undefined;
  skipRejected: boolean;
  key: string | undefined;
};

/** Accepts requests, each key once. */
function requesting({ cycles, world, asked, newId }: Parts) {
  const answers = new Map<string, { id: string; target: string; joined: boolean }[]>();
  const began = Date.now();
  return (request: CycleRequest) => {
    const { targets, skipRejected, key, offSeconds = 5, ...rest } = request;
    asked.times++;
    if (key !== undefined) asked.keys.add(key);
    const wanted = targets.flatMap((target) => expandRange(target));
    const rejected = wanted.flatMap((target) => world.rejectionOf(target, request) ?? []);
    if (rejected.length > 0 && !skipRejected) throw rejecting(rejected);
    const known = key === undefined ? undefined : answers.get(key);
    if (known !== undefined) return { cycles: known, rejected };
    const accepted = wanted
      .filter((target) => rejected.every((rejection) => rejection.target !== target))
      .map((target) => {
        const open = [...cycles.values()].find(
          ({ now, isOver }) => now.target === target && !isOver,
        );
        if (open !== undefined) return { id: open.now.id, target, joined: true };
        const id = newId('c');
        cycles.set(id, new ScriptedCycle({ ...rest, id, target, offSeconds }, began));
        return { id, target, joined: false };
      });
    if (key !== undefined) answers.set(key, accepted);
    return { cycles: accepted, rejected };
  };
}

function requestHandlers(parts: Parts) {
  const { world, calls } = parts;
  const begin = requesting(parts);
  return {
    requestCycles: ({ body: { machines, ...body }, headers, caller }) => {
      calls.push({ name: 'requestCycles', body: { machines, ...body } });
      const key = headers['idempotency-key'];
      const by = caller.name;
      return { status: 202, body: begin({ ...body, targets: machines, action: 'cycle', key, by }) };
    },
    switchOutlets: ({ body: { state, ...body }, headers, caller }) => {
      calls.push({ name: 'switchOutlets', body: { state, ...body } });
      const key = headers['idempotency-key'];
      const by = caller.name;
      const begun = begin({ ...body, action: state, mode: 'hard', key, by });
      for (const { target } of begun.cycles) world.switched?.(target, state, by);
      return { status: 202, body: begun };
    },
  } satisfies Partial<Handlers>;
}

function cycleHandlers({ world, cycles }: Parts) {
  function cycleOf(id: string): ScriptedCycle['now'] {
    const past = world.cycles().find((cycle) => cycle.id === id);
    const found = cycles.get(id)?.now ?? past;
    if (found !== undefined) return found;
    throw new HttpProblem(404, `${id}: no such cycle; to list all cycles, run skolo power log`);
  }

  return {
    cycles: ({ query: { target, state, outcome, limit } }) => {
      const own = [...cycles.values()].map(({ now }) => now).reverse();
      const all = [...own, ...world.cycles()];
      if (target !== undefined && all.every((cycle) => cycle.target !== target)) {
        const rejection = world.rejectionOf(target, { force: true, action: 'cycle' });
        if (rejection?.code === 'unknown') throw rejecting([rejection]);
      }
      const found = all.filter(
        (cycle) =>
          (target === undefined || cycle.target === target) &&
          (outcome === undefined || cycle.outcome === outcome) &&
          (state === undefined || stateOf(cycle) === state),
      );
      return { status: 200, body: { cycles: found.slice(0, limit) } };
    },
    cycle: ({ params }) => ({ status: 200, body: cycleOf(params.id) }),
    cancelCycle: ({ params: { id } }) => {
      const { step } = cycleOf(id);
      const scripted = cycles.get(id);
      if (step !== 'queued' || scripted === undefined) {
        throw new HttpProblem(409, `cycle ${id} has begun, so it is finished`);
      }
      scripted.cancel();
      return { status: 200, body: scripted.now };
    },
  } satisfies Partial<Handlers>;
}

function holdHandlers({ world, calls, newId }: Parts) {
  const holds = world.holds();
  return {
    holds: () => ({ status: 200, body: { holds } }),
    hold: ({ body, caller }) => {
      const { targets, reason, until } = body;
      calls.push({ name: 'hold', body });
      const wanted = targets.flatMap((target) => expandRange(target));
      mustKnow(world, wanted);
      const made = wanted.map((target) => ({
        id: newId('h'),
        target,
        by: caller.name,
        since: ago(0),
        until: until ?? ago(-24 * 3600 + 30),
        reason,
      }));
      holds.push(...made);
      return { status: 201, body: { holds: made } };
    },
    release: ({ params: { id } }) => {
      const place = holds.findIndex((hold) => hold.id === id);
      const [hold] = place < 0 ? [] : holds.splice(place, 1);
      if (hold === undefined) throw new HttpProblem(404, `there is no hold ${id}`);
      return { status: 200, body: hold };
    },
  } satisfies Partial<Handlers>;
}

function rackHandlers(world: Scripted['world']) {
  return {
    machines: ({ query: { name } }) => {
      const machines = world.machines();
      if (name === undefined) return { status: 200, body: { machines } };
      const wanted = [name].flat().flatMap((each) => expandRange(each));
      mustKnow(world, wanted);
      const found = machines.filter((machine) => wanted.includes(machine.name));
      return { status: 200, body: { machines: found } };
    },
    outlets: () => ({ status: 200, body: { outlets: world.outlets?.() ?? [] } }),
    controllers: () => ({ status: 200, body: { controllers: world.controllers() } }),
    forgetPendingOn: ({ params: { outlet } }) => {
      if (outlet !== 'pdu-9/1')
        throw new HttpProblem(404, `${outlet} is not waiting to be turned on`);
      return { status: 200, body: { outlet } };
    },
    hostKeys: () => ({ status: 200, body: { hostKeys: world.hostKeys() } }),
    forgetHostKey: ({ params: { equipment } }) => {
      const forgotten = world.hostKeys().some((key) => key.equipment === equipment);
      return { status: 200, body: { equipment, forgotten } };
    },
  } satisfies Partial<Handlers>;
}

function mustKnow(world: Scripted['world'], targets: readonly string[]): void {
  const rejected = targets.flatMap((target) =>
    world.isKnown(target)
      ? []
      : (world.rejectionOf(target, { force: true, action: 'cycle' }) ?? []),
  );
  if (rejected.length > 0) throw rejecting(rejected);
}

function stateOf({ step, outcome }: ScriptedCycle['now']): 'queued' | 'running' | 'finished' {
  if (outcome !== undefined) return 'finished';
  return step === 'queued' ? 'queued' : 'running';
}

function rejecting(rejected: Rejection[]): HttpProblem {
  const status = rejected.every(({ code }) => code === 'unknown') ? 404 : 409;
  return new HttpProblem(status, 'nothing was done', { members: { rejected } });
}
