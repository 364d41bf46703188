/** The answers of a power-cycle daemon without power. Time passes for its cycles while somebody follows them. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type {
  ControllerStatus,
  Hold,
  MachinePower,
  OutletStatus,
  PowerAction,
  PowerCycle,
  Rejection,
} from '@skolo/api';
import { HttpProblem } from '@skolo/common';
import { expandRange } from '@skolo/rack';
import { ago } from './ago.ts';
import { advanced, queued } from './cycles/lives.ts';
import type { Answers, ApiOf } from './service.ts';

/** What it knows. */
export interface PowerWorld {
  machines(): MachinePower[];
  outlets?(): OutletStatus[];
  controllers(): ControllerStatus[];
  holds(): Hold[];
  /** Past ones, newest first. */
  cycles(): PowerCycle[];
  hostKeys(): { equipment: string; fingerprint: string; firstSeen: string }[];
  rejectionOf(
    target: string,
    asked: { force: boolean; action: PowerAction },
  ): Rejection | undefined;
  /** Somebody has turned an outlet on or off. */
  switched?(outlet: string, state: 'on' | 'off', by: string): void;
}

type PowerAnswers = Answers<ApiOf<'power-cycle-daemon'>>;

interface Parts {
  world: PowerWorld;
  cycles: Map<string, PowerCycle>;
  newId(kind: string): string;
}

/** @param stepMs the speed of time in the lives of cycles */
export function powerAnswers(world: PowerWorld, stepMs = 5): PowerAnswers {
  let ids = 1000;
  const parts: Parts = { world, cycles: new Map(), newId: (kind) => `${kind}${++ids}` };
  return {
    ...requestAnswers(parts),
    ...cycleAnswers(parts, stepMs),
    ...holdAnswers(parts),
    ...rackAnswers(world),
  };
}

type CycleRequest = Pick<PowerCycle, 'action' | 'mode' | 'reason' | 'by' | 'force'> & {
  targets: string[];
  offSeconds?: number | undefined;
  skipRejected: boolean;
  key: string | undefined;
};

function requestAnswers({ cycles, world, newId }: Parts): PowerAnswers {
  const answers = new Map<string, { id: string; target: string; joined: boolean }[]>();
  // The same for all, so that their total time is known in advance.
  const requestedAt = ago(0);
  /** Each key once. */
  function begin(request: CycleRequest) {
    const { targets, skipRejected, key, offSeconds = 5, ...rest } = request;
    const wanted = targets.flatMap((target) => expandRange(target));
    const rejected = wanted.flatMap((target) => world.rejectionOf(target, request) ?? []);
    if (rejected.length > 0 && !skipRejected) throw rejecting(rejected);
    const known = key === undefined ? undefined : answers.get(key);
    if (known !== undefined) return { cycles: known, rejected };
    const accepted = wanted
      .filter((target) => rejected.every((rejection) => rejection.target !== target))
      .map((target) => {
        const open = [...cycles.values()].find(
          (cycle) => cycle.target === target && cycle.outcome === undefined,
        );
        if (open !== undefined) return { id: open.id, target, joined: true };
        const id = newId('c');
        cycles.set(id, queued({ ...rest, id, target, offSeconds, requestedAt }));
        return { id, target, joined: false };
      });
    if (key !== undefined) answers.set(key, accepted);
    return { cycles: accepted, rejected };
  }

  return {
    requestCycles: ({ body: { machines: targets, ...body }, headers, caller }) => {
      const key = headers['idempotency-key'];
      return begin({ ...body, targets, action: 'cycle', key, by: caller.name });
    },
    switchOutlets: ({ body: { state, ...body }, headers, caller: { name: by } }) => {
      const key = headers['idempotency-key'];
      const begun = begin({ ...body, action: state, mode: 'hard', key, by });
      for (const { target } of begun.cycles) world.switched?.(target, state, by);
      return begun;
    },
  };
}

function cycleAnswers({ world, cycles }: Parts, stepMs: number): PowerAnswers {
  function cycleOf(id: string): PowerCycle {
    const found = cycles.get(id) ?? world.cycles().find((cycle) => cycle.id === id);
    if (found !== undefined) return found;
    throw new HttpProblem(404, `${id}: no such cycle; to list all cycles, run skolo power log`);
  }

  return {
    cycles: ({ query: { target, state, outcome, limit } }) => {
      const all = [...[...cycles.values()].reverse(), ...world.cycles()];
      if (target !== undefined && all.every((cycle) => cycle.target !== target)) {
        mustKnow(world, [target]);
      }
      const found = all.filter(
        (cycle) =>
          (target === undefined || cycle.target === target) &&
          (outcome === undefined || cycle.outcome === outcome) &&
          (state === undefined || stateOf(cycle) === state),
      );
      return { cycles: found.slice(0, limit) };
    },
    cycle: ({ params: { id } }) => cycleOf(id),
    cycleEvents: ({ query: { ids } }) => ({
      status: 200,
      follow(send) {
        for (const past of ids === undefined ? world.cycles() : []) send('cycle', past);
        const asked = ids === undefined ? [...cycles.keys()] : `${ids}`.split(',');
        const wanted = asked.filter((id) => cycles.has(id));
        for (const id of wanted) send('cycle', cycleOf(id));
        const passing = setInterval(() => {
          for (const cycle of wanted.map(cycleOf).filter(({ outcome }) => !outcome)) {
            const next = advanced(cycle);
            cycles.set(cycle.id, next);
            send('cycle', next);
          }
        }, stepMs);
        return () => clearInterval(passing);
      },
    }),
    cancelCycle: ({ params: { id } }) => {
      const { step } = cycleOf(id);
      const cycle = cycles.get(id);
      if (step !== 'queued' || cycle === undefined) {
        throw new HttpProblem(409, `cycle ${id} has begun, so it is finished`);
      }
      const detail = 'cancelled before it began';
      const finishedAt = cycle.requestedAt;
      cycles.set(id, { ...cycle, outcome: 'cancelled', finishedAt, detail });
      return cycleOf(id);
    },
  };
}

function holdAnswers({ world, newId }: Parts): PowerAnswers {
  const holds = world.holds();
  return {
    holds: { holds },
    hold: ({ body: { kind, targets, reason, until = ago(-24 * 3600 + 30) }, caller }) => {
      const wanted = targets.flatMap((target) => expandRange(target));
      mustKnow(world, wanted);
      const since = ago(0);
      const made = wanted.map((target) => {
        return { id: newId('h'), kind, target, by: caller.name, since, until, reason };
      });
      holds.push(...made);
      return { holds: made };
    },
    release: ({ params: { id } }) => {
      const place = holds.findIndex((hold) => hold.id === id);
      const [hold] = place < 0 ? [] : holds.splice(place, 1);
      if (hold === undefined) throw new HttpProblem(404, `there is no hold ${id}`);
      return hold;
    },
  };
}

function rackAnswers(world: PowerWorld): PowerAnswers {
  return {
    machines: ({ query: { name } }) => {
      if (name === undefined) return { machines: world.machines() };
      const wanted = [name].flat().flatMap((each) => expandRange(each));
      mustKnow(world, wanted);
      return { machines: world.machines().filter((machine) => wanted.includes(machine.name)) };
    },
    outlets: () => ({ outlets: world.outlets?.() ?? [] }),
    controllers: () => ({ controllers: world.controllers() }),
    forgetPendingOn: ({ params: { outlet } }) => {
      if (outlet === 'pdu-9/1') return { outlet };
      throw new HttpProblem(404, `${outlet} is not waiting to be turned on`);
    },
    hostKeys: () => ({ hostKeys: world.hostKeys() }),
    forgetHostKey: ({ params: { equipment } }) => {
      const forgotten = world.hostKeys().some((key) => key.equipment === equipment);
      if (equipment.startsWith('inverted-')) return { equipment, forgotten: true, lifted: true };
      return { equipment, forgotten };
    },
  };
}

function mustKnow(world: PowerWorld, targets: readonly string[]): void {
  const rejected = targets.flatMap(
    (target) => world.rejectionOf(target, { force: true, action: 'cycle' }) ?? [],
  );
  const unknown = rejected.filter(({ code }) => code === 'unknown');
  if (unknown.length > 0) throw rejecting(unknown);
}

function stateOf({ step, outcome }: PowerCycle): 'queued' | 'running' | 'finished' {
  if (outcome !== undefined) return 'finished';
  return step === 'queued' ? 'queued' : 'running';
}

function rejecting(rejected: Rejection[]): HttpProblem {
  const status = rejected.every(({ code }) => code === 'unknown') ? 404 : 409;
  return new HttpProblem(status, 'nothing was done', { members: { rejected } });
}

/** Carries out each changing request to `URL/flaky`, but breaks the connection before its first answer; and once in each stream. */
export function flaky(listener: RequestListener): RequestListener {
  const broken = new Set<string>();
  return (request, response) => {
    const [, path] = /^\/flaky(\/.*)/.exec(request.url ?? '') ?? [];
    const what = `${request.method} ${path}`;
    request.url = path ?? request.url;
    if (path !== undefined && !broken.has(what)) {
      broken.add(what);
      breakIn(request, response);
    }
    listener(request, response);
  };
}

function breakIn({ method, url, socket }: IncomingMessage, response: ServerResponse): void {
  if (method !== 'GET') Object.assign(response, { end: () => socket.destroy() });
  if (!url?.includes('/events')) return;
  const write = response.write.bind(response);
  Object.assign(response, {
    write: (text: string) => (text.includes('"step":"off"') ? socket.destroy() : write(text)),
  });
}
