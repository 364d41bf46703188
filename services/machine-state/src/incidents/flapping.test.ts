/** What falls silent again and again costs no more in the end than in the beginning, and hides nothing of others. */
import type { Cause, Machine } from '@skolo/api';
import { equipmentCause, sharedCause } from '@skolo/api/cause';
import { tempDir } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { parseRack } from '@skolo/rack';
import { expect, it } from 'vitest';
import { newHistory } from '../testing/history.ts';
import { startOutageLab } from '../testing/outage-lab.ts';
import { Incidents } from './incidents.ts';
import { listIncidents } from './report.ts';

const rack = parseRack(
  `rack: rack4
network: { subnet: 10.0.0.0/16 }
jumphost: { name: jumphost, address: 10.0.0.8 }
machines:
  rpi-[01-50]: { kind: rpi, shelf: shelf1 }
  pi-[1-2]: { kind: rpi }
`,
  { file: 'rack.yaml' },
);
const all = [...rack.machines.keys()];
const pis = ['pi-1', 'pi-2'];
const switched = all.filter((name) => !pis.includes(name));
const [second, minute, hour] = [1000, 60_000, 3_600_000];

async function startIncidents() {
  const clock = fakeClock();
  const history = newHistory({ stateDir: await tempDir(), clock });
  const agents = { view: () => ({ seenAt: clock.now() }) };
  const incidents = new Incidents({ rack: () => rack, clock, history, agents });
  const seenAt = new Map<string, number>();
  const say = (name: string, condition: Machine['condition'], cause?: Cause) => {
    const now = clock.now();
    if (condition === 'ok' || !seenAt.has(name)) seenAt.set(name, now);
    const machine: Machine = {
      ...{ name, kind: 'rpi', condition, sentence: `silent with ${name}`, cause },
      ...{ since: new Date(now).toISOString() },
      lastSeen: new Date(seenAt.get(name) ?? now).toISOString(),
      ...{ pools: [], devices: [], repairs: [], orders: [], alerts: [], wiring: { power: [] } },
      versions: { agent: '0.3.0-rc.1' },
    };
    incidents.consume({ type: 'machine', machine, isReadingsOnly: false });
  };
  const deps = { clock, history, incidents };
  return {
    ...deps,
    say,
    /** The first one falls silent before a cause is found. All answer after a minute. */
    fall(names: string[], { cause, upMs }: { cause?: Cause | undefined; upMs: number }) {
      for (const name of names.slice(0, 1)) say(name, 'stale');
      for (const name of names) say(name, 'stale', cause);
      clock.sleep(minute);
      for (const name of names) say(name, 'ok');
      clock.sleep(upMs);
      incidents.tick();
    },
    async stored() {
      clock.sleep(61 * second);
      return (await history.silences()).silences.length;
    },
    list: (limit = 1000) => listIncidents(deps, { since: '2026-01-01T00:00:00Z', limit }),
  };
}

it.each([
  ['a switch', switched, equipmentCause(['switch-1']), 'switch-1, 50 machines'],
  ['two machines', pis, undefined, undefined],
])(
  'stores as much after four hours of %s as after four minutes',
  async (_, names, cause, title) => {
    const lab = await startIncidents();
    const flapFor = async (ms: number) => {
      const until = lab.clock.now() + ms;
      while (lab.clock.now() < until) lab.fall(names, { upMs: minute, cause });
      return { stored: await lab.stored(), inMemory: lab.incidents.known().length };
    };

    const early = await flapFor(4 * minute);
    const late = await flapFor(4 * hour);

    // The first and the latest one of each.
    expect(early).toEqual({ stored: 2 * names.length, inMemory: 2 * names.length });
    expect(late).toEqual(early);
    const { incidents } = await lab.list();
    expect(
      incidents.map(({ title, machines }) => [`${title}`, machines.map(({ times }) => times)]),
    ).toEqual(
      title ? [[title, names.map(() => 122)]] : names.toReversed().map((name) => [name, [122]]),
    );
  },
);

it('lists outages of many machines beside those of two that fall silent all day', async () => {
  const lab = await startIncidents();
  for (let outage = 0; outage < 20; outage += 1) {
    lab.fall(switched, { cause: sharedCause('shelf', `shelf${outage}`), upMs: 6 * minute });
  }
  for (let at = 0; at < (24 * hour) / (7 * minute); at += 1) {
    lab.fall(pis, { upMs: 6 * minute });
  }

  const { incidents, truncated } = await lab.list(60);

  expect(truncated).toBe(true);
  expect(incidents).toHaveLength(60);
  expect(incidents.flatMap(({ cause }) => (cause ? `${cause.text}` : []))).toEqual(
    Array.from({ length: 20 }, (_, at) => `shelf${19 - at}`),
  );
  const times = incidents.map(({ since }) => since);
  expect(times).toEqual(times.toSorted().toReversed());
});

it('counts a machine as silent only while it was, if it fell silent again and again', async () => {
  const { say, clock, list } = await startIncidents();
  const [x, y] = [equipmentCause(['x']), equipmentCause(['y'])];
  const during = (silent: Record<string, Cause>) => {
    for (const [name, cause] of Object.entries(silent)) say(name, 'stale', cause);
    clock.sleep(minute);
    for (const name of Object.keys(silent)) say(name, 'ok');
    clock.sleep(second);
  };
  for (let n = 0; n < 3; n += 1) {
    during({ 'rpi-01': x });
    during({ 'rpi-02': x });
  }
  during({ 'rpi-01': y, 'rpi-03': y });
  during({ 'rpi-01': x });
  during({ 'rpi-01': x });

  const { incidents } = await list();
  expect(incidents.map(({ title }) => `${title}`)).toEqual(['y, 2 of 3 machines']);
  expect(incidents[0]?.machines.map(({ times }) => times)).toEqual([6, 3, undefined]);
});

const four = parseRack(
  `rack: rack4
network: { subnet: 192.168.1.0/24 }
jumphost: { name: jumphost, address: 192.168.1.8 }
equipment:
  switch-1: { model: edgeswitch, address: 192.168.1.11 }
machines:
  a-[1-4]: { kind: rpi, address: 192.168.1.10[1-4], uplink: "switch-1/[1-4]" }
  d-[1-4]: { kind: rpi, address: 192.168.1.13[1-4] }
`,
  { file: 'rack.yaml' },
);
const a = ['a-1', 'a-2', 'a-3', 'a-4'];

it.each([1, 20])(
  'does not date the outage of a switch by a machine that flapped %d times before',
  async (times) => {
    const lab = await startOutageLab(four);
    lab.pass(5);
    for (let n = 0; n < times; n += 1) {
      lab.fall(['a-1']);
      lab.pass(90);
      lab.answer(['a-1']);
      lab.pass(120);
    }
    const at = new Date(lab.clock.now()).toISOString();
    lab.fall(a);
    lab.pass(90);
    lab.answer(a);
    lab.pass(30);
    lab.fall(['a-1']);
    lab.pass(90);
    lab.answer(['a-1']);
    lab.pass(5);

    const [outage] = (await lab.list()).incidents;
    expect(outage).toMatchObject({ title: 'switch-1, 4 machines', since: at, began: a });
    expect(outage?.machines.map((machine) => [machine.at, machine.times])).toEqual([
      [at, times + 2],
      ...Array.from({ length: 3 }, () => [at, undefined]),
    ]);
  },
);

it.each([-7200, 7200])(
  'leaves an outage whole if machines flap after a start with a clock that is off by %d s',
  async (seconds) => {
    const lab = await startOutageLab(four);
    const flap = () => {
      lab.fall(a);
      lab.pass(90);
      lab.answer(a);
      lab.pass(60);
    };
    lab.pass(5);
    flap();
    flap();
    await lab.flush();
    lab.clock.setWall(lab.clock.now() + seconds * 1000);
    await lab.restart(1000);
    lab.pass(5);
    flap();
    flap();
    lab.fall(a);
    lab.pass(90);

    const { incidents } = await lab.list();
    for (const { machines } of incidents) expect(machines.map(({ name }) => name)).toEqual(a);
    expect(incidents.map(({ title }) => `${title}`)).toEqual(
      incidents.map(() => 'switch-1, 4 machines'),
    );
  },
);
