/**
 * A power-cycle daemon without power: the API over a real socket, with the conventions of every service (sign-in,
 * schemas, problems), and cycles whose lives are written beforehand.
 *
 * `URL/flaky` takes each request that changes something and breaks the connection before the first answer to it.
 */
import type { RequestListener } from 'node:http';
import { powerCycleDaemonApi, type Refusal } from '@skolo/api';
import { createApp, HttpProblem, type RouteHandlers, type ServiceContext } from '@skolo/common';
import { expandRange } from '@skolo/rack';
import { ScriptedCycle } from './cycle-lives.ts';
import { CycleStreams } from './cycle-streams.ts';
import * as data from './power-data.ts';
import { startTestService, type TestService } from './test-service.ts';
import type { TestTokens } from './tokens.ts';

export interface TestDaemon extends TestService {
  /** How often a request for cycles came, and how many requests that were. */
  asked: { times: number; keys: Set<string> };
}

/** The routes that people use; the others are for agents, Alertmanager and programs. */
const {
  requestDeviceCycles: _ownDevices,
  ownHolds: _ownHolds,
  alerts: _alerts,
  outlets: _outlets,
  cycleEvents: _events,
  ...api
} = powerCycleDaemonApi;

/** @param stepMs how fast time passes in the lives of cycles */
export async function startPowerCycleDaemon({
  tokens,
  stepMs = 5,
}: {
  tokens: TestTokens;
  stepMs?: number;
}): Promise<TestDaemon> {
  const asked: TestDaemon['asked'] = { times: 0, keys: new Set() };
  const service = await startTestService('power-cycle-daemon', tokens, (context) =>
    handlerOf(context, { asked, stepMs }),
  );
  return { ...service, asked };
}

function handlerOf(
  context: ServiceContext,
  { asked, stepMs }: Pick<TestDaemon, 'asked'> & { stepMs: number },
): RequestListener {
  const cycles = new Map<string, ScriptedCycle>();
  const streams = new CycleStreams(cycles, { stepMs, signal: context.signal });
  const app = createApp({ ...context, api, handlers: handlersOf(cycles, asked) });
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

function handlersOf(
  cycles: Map<string, ScriptedCycle>,
  asked: TestDaemon['asked'],
): RouteHandlers<typeof api> {
  const answers = new Map<string, { id: string; target: string; joined: boolean }[]>();
  const holds = data.firstHolds();
  const began = Date.now();
  let ids = 1000;

  function begin(
    request: Pick<ScriptedCycle['now'], 'action' | 'mode' | 'reason' | 'by' | 'force'> & {
      targets: string[];
      offSeconds?: number | undefined;
      skipRefused: boolean;
      key: string | undefined;
    },
  ) {
    const { targets, skipRefused, key = '', offSeconds = 5, ...rest } = request;
    asked.times++;
    asked.keys.add(key);
    const wanted = targets.flatMap((target) => expandRange(target));
    const refused = wanted.flatMap((target) => data.refusalOf(target, request.force) ?? []);
    if (refused.length > 0 && !skipRefused) throw refusing(refused);
    const known = answers.get(key);
    if (known !== undefined) return { cycles: known, refused };
    const accepted = wanted
      .filter((target) => refused.every((refusal) => refusal.target !== target))
      .map((target) => {
        const open = [...cycles.values()].find(
          ({ now, isOver }) => now.target === target && !isOver,
        );
        if (open !== undefined) return { id: open.now.id, target, joined: true };
        const id = `c${++ids}`;
        cycles.set(id, new ScriptedCycle({ ...rest, id, target, offSeconds }, began));
        return { id, target, joined: false };
      });
    answers.set(key, accepted);
    return { cycles: accepted, refused };
  }

  function cycleOf(id: string): ScriptedCycle['now'] {
    const past = data.pastCycles().find((cycle) => cycle.id === id);
    const found = cycles.get(id)?.now ?? past;
    if (found !== undefined) return found;
    throw new HttpProblem(404, `${id}: no such cycle; skolo power log lists them`);
  }

  return {
    requestCycles: ({ body: { machines, ...body }, headers, caller }) => {
      const key = headers['idempotency-key'];
      const by = caller.name;
      return { status: 202, body: begin({ ...body, targets: machines, action: 'cycle', key, by }) };
    },
    switchOutlets: ({ body: { state, ...body }, headers, caller }) => {
      const key = headers['idempotency-key'];
      const by = caller.name;
      return { status: 202, body: begin({ ...body, action: state, mode: 'hard', key, by }) };
    },
    cycles: ({ query: { target, state, outcome, limit } }) => {
      const own = [...cycles.values()].map(({ now }) => now).reverse();
      const all = [...own, ...data.pastCycles()];
      if (target !== undefined && all.every((cycle) => cycle.target !== target)) {
        const refusal = data.refusalOf(target, true);
        if (refusal?.code === 'unknown') throw refusing([refusal]);
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
    machines: ({ query: { name } }) => {
      const machines = data.machinePowers();
      if (name === undefined) return { status: 200, body: { machines } };
      const wanted = [name].flat().flatMap((each) => expandRange(each));
      const refused = wanted.flatMap((each) =>
        data.knownNames.has(each) ? [] : (data.refusalOf(each, true) ?? []),
      );
      if (refused.length > 0) throw refusing(refused);
      const found = machines.filter((machine) => wanted.includes(machine.name));
      return { status: 200, body: { machines: found } };
    },
    controllers: () => ({ status: 200, body: { controllers: data.controllers() } }),
    holds: () => ({ status: 200, body: { holds } }),
    hold: ({ body: { targets, reason, until }, caller }) => {
      const wanted = targets.flatMap((target) => expandRange(target));
      const unknown = wanted.flatMap((target) =>
        data.knownNames.has(target) ? [] : (data.refusalOf(target, true) ?? []),
      );
      if (unknown.length > 0) throw refusing(unknown);
      const made = wanted.map((target) => ({
        id: `h${++ids}`,
        target,
        by: caller.name,
        since: data.ago(0),
        until: until ?? data.ago(-24 * 3600 + 30),
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
    forgetPendingOn: ({ params: { outlet } }) => {
      if (outlet !== 'pdu-9/1') throw new HttpProblem(404, `${outlet} has no pending on`);
      return { status: 200, body: { outlet } };
    },
    hostKeys: () => ({ status: 200, body: { hostKeys: data.hostKeys() } }),
    forgetHostKey: ({ params: { device } }) => {
      const forgotten = data.hostKeys().some((key) => key.device === device);
      return { status: 200, body: { device, forgotten } };
    },
  };
}

function stateOf({ step, outcome }: ScriptedCycle['now']): 'queued' | 'running' | 'finished' {
  if (outcome !== undefined) return 'finished';
  return step === 'queued' ? 'queued' : 'running';
}

function refusing(refused: Refusal[]): HttpProblem {
  const status = refused.every(({ code }) => code === 'unknown') ? 404 : 409;
  return new HttpProblem(status, 'nothing was done', { members: { refused } });
}
