/** Only answers change whether a machine is silent: not shared causes that come and go, pauses of this service, or its wall clock. */
import type { AgentStatus, ControllerStatus } from '@skolo/api';
import { isSilent } from '@skolo/api/silence';
import { isoTime } from '@skolo/base';
import { runs } from '@skolo/base/testing';
import { wallTime } from '@skolo/common';
import { fakeClock } from '@skolo/common/testing';
import { parseRack } from '@skolo/rack';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { okHealth } from '../testing/fake-agent.ts';
import { sharedSilenceSeconds } from './condition.ts';
import { Current } from './current.ts';
import type { AgentView } from './sources.ts';

const names = ['rpi-1', 'rpi-2', 'rpi-3', 'rpi-4'];
const parsed = parseRack(
  `rack: rack4
network: { subnet: 192.168.1.0/24 }
jumphost: { name: jumphost, address: 192.168.1.8 }
equipment:
  switch-1: { model: edgeswitch, address: 192.168.1.11 }
  switch-2: { model: edgeswitch, address: 192.168.1.12 }
machines:
  rpi-[1-3]: { kind: rpi, address: 192.168.1.10[1-3], uplink: "switch-1/[1-3]" }
  rpi-4: { kind: rpi, address: 192.168.1.104, uplink: switch-2/1 }
`,
  { file: 'rack.yaml' },
);
const limits = parsed.services['machine-state'];

/** A machine-state whose agents and services are the test's. */
function startRack() {
  const clock = fakeClock();
  const status = (machine: string): AgentStatus => ({
    ...{ machine, task: { running: false }, devices: [], health: okHealth },
  });
  const heardAt = new Map(names.map((name) => [name, clock.uptime()]));
  const controllers = new Map<string, ControllerStatus>();
  const powered = { machines: new Map(), controllers };
  let orders: string[] = [];
  const current = new Current({
    rack: () => parsed,
    clock,
    emit: () => undefined,
    rackFile: { view: () => ({ loadedAt: '', warnings: [], problems: [], changes: [] }) },
    agents: {
      view(name): AgentView {
        const at = heardAt.get(name) ?? 0;
        const silentSeconds = clock.presence.ageOf(at, sharedSilenceSeconds(limits));
        return { status: status(name), seenAt: wallTime(clock, at), silentSeconds };
      },
    },
    services: { views: () => ({ power: powered }), states: () => [] },
    delivery: {
      active: (name) =>
        orders.includes(name)
          ? [{ id: '1', kind: 'maintenance', reason: 'hub', since: isoTime(0), machine: name }]
          : [],
    },
    reported: { unknown: () => [] },
    incidents: () => [],
    cycleRequests: () => [],
  });
  return {
    clock,
    hear(name: string) {
      heardAt.set(name, clock.uptime());
      current.touch(name);
    },
    see(state: 'up' | 'down' | 'unknown') {
      const known = { name: 'switch-1', model: 'edgeswitch', level: 'switched', queue: 0 } as const;
      controllers.set('switch-1', { ...known, state, lastContact: isoTime(clock.now()) });
      current.touch();
    },
    order(machines: string[]) {
      orders = machines;
      current.touch();
    },
    /** In which condition each machine is, a second later. */
    conditions() {
      current.tick();
      return new Map(current.machines().map((machine) => [machine.name, machine]));
    },
    stop: () => current.stop(),
  };
}

const event = fc.oneof(
  { weight: 6, arbitrary: fc.record({ run: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 2, arbitrary: fc.record({ sleep: fc.integer({ min: 4, max: 3600 }) }) },
  { weight: 2, arbitrary: fc.record({ see: fc.constantFrom('up', 'down', 'unknown') }) },
  { weight: 1, arbitrary: fc.record({ wall: fc.integer({ min: 0, max: 2 ** 41 }) }) },
  { weight: 2, arbitrary: fc.record({ hear: fc.subarray(names) }) },
);

it('with any causes, pauses and clocks, only an answer ends a silence', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      const rack = startRack();
      let before = rack.conditions();
      for (const each of events) {
        if ('run' in each) rack.clock.pass(each.run * 1000);
        if ('sleep' in each) rack.clock.sleep(each.sleep * 1000);
        if ('wall' in each) rack.clock.setWall(each.wall);
        if ('see' in each) rack.see(each.see as 'up');
        const heard = 'hear' in each ? each.hear : [];
        for (const name of heard) rack.hear(name);
        const after = rack.conditions();
        for (const name of names) {
          const [was, is] = [before.get(name), after.get(name)];
          if (was && is && isSilent(was) && !heard.includes(name)) expect(isSilent(is)).toBe(true);
          if (was?.condition === 'gone' && !heard.includes(name))
            expect(is?.condition).toBe('gone');
          if (heard.includes(name)) expect(is?.condition).toBe('ok');
        }
        before = after;
      }
      rack.stop();
    }),
    runs(500),
  );
});

it('with any causes, pauses and clocks, what answers in time is never silent, and what is dead is found', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      const rack = startRack();
      const [dead = '', ...alive] = names;
      let ran = 0;
      for (const each of events) {
        if ('sleep' in each) rack.clock.sleep(each.sleep * 1000);
        if ('wall' in each) rack.clock.setWall(each.wall);
        if ('see' in each) rack.see(each.see as 'up');
        const run = 'run' in each ? each.run : 1;
        ran += run;
        rack.clock.pass(run * 1000);
        const machines = rack.conditions();
        for (const name of alive) expect(machines.get(name)?.condition).toBe('ok');
        if (ran >= 3 * limits.staleSeconds)
          expect(['stale', 'gone']).toContain(machines.get(dead)?.condition);
        for (const name of alive) rack.hear(name);
      }
      rack.stop();
    }),
    runs(500),
  );
});

it('a machine that fell silent during maintenance is not well when that ends after a pause', () => {
  const rack = startRack();
  const condition = () => rack.conditions().get('rpi-4')?.condition;
  rack.order(['rpi-4']);
  rack.clock.pass(120_000);
  const during = condition();
  rack.clock.sleep(7_200_000);
  rack.order([]);

  expect([during, condition()]).toEqual(['maintenance', 'stale']);
  rack.stop();
});
