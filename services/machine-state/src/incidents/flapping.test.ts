/** What falls silent again and again costs no more in the end than in the beginning, and hides nothing of others. */
import type { Cause, Machine } from '@skolo/api';
import { equipmentCause, sharedCause } from '@skolo/api/cause';
import { tempDir } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { parseRack } from '@skolo/rack';
import { expect, it } from 'vitest';
import { newHistory } from '../testing/history.ts';
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

    expect(early).toEqual({ stored: names.length, inMemory: names.length });
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
