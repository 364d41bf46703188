import type { Machine } from '@skolo/api';
import { equipmentCause } from '@skolo/api/cause';
import { tempDir } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { expect, it } from 'vitest';
import { Uptimes } from '../history/uptimes.ts';
import { newHistory } from '../testing/history.ts';
import { behindActs, healthOf, recordedEvent, serviceEvents } from './from-history.ts';
import { mergeEvents, type TimelineEvent } from './merge.ts';

const begin = Date.parse('2026-11-20T18:00:00Z');
const minute = 60_000;
const hour = 60 * minute;

async function newLab() {
  const stateDir = await tempDir();
  const clock = fakeClock(new Date(begin).toISOString());
  const open = async () => {
    const history = newHistory({ stateDir, clock });
    await history.open();
    return history;
  };
  const span = { from: begin, to: begin + 12 * hour };
  return { clock, open, span };
}

type State = ConstructorParameters<typeof Uptimes>[0]['states'] extends () => readonly (infer S)[]
  ? S
  : never;

it('shows when services were down, that this one was killed, and new versions', async () => {
  const { clock, open, span } = await newLab();
  let peer: State = { name: 'router-backup', reachable: true, version: '1.0' };
  const states = () => [{ name: 'machine-state', reachable: true, version: '1.0' }, peer];
  let history = await open();
  let uptimes = new Uptimes({ clock, history, states });
  const run = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 1000) {
      clock.pass(1000);
      uptimes.tick();
    }
  };
  run(10 * minute);
  peer = { ...peer, reachable: false };
  run(4 * minute);
  peer = { ...peer, reachable: true, version: '1.1' };
  // Until just after a beat.
  run(10 * minute + 1000);
  // Killed, without a last beat.
  await history.close();
  clock.pass(5 * minute);
  history = await open();
  uptimes = new Uptimes({ clock, history, states });
  run(10 * minute);
  peer = { ...peer, reachable: false };
  run(10 * minute);

  const { services } = await history.happenings({ ...span, changed: [] }, 1000);
  const { events, downSince } = serviceEvents(services, { ...span, to: clock.now() });

  const shown = mergeEvents(events, 10).rows.map(({ at, endedAt, text }) => [
    text,
    (Date.parse(at) - begin) / minute,
    endedAt && Math.round((Date.parse(endedAt) - begin) / minute),
  ]);
  expect(shown).toEqual([
    ['router-backup did not respond', expect.closeTo(10, 0), 14],
    ['version 1.1 replaced 1.0', expect.closeTo(14, 0), undefined],
    ['machine-state was down: nothing was recorded', expect.closeTo(24, 0), 29],
    ['router-backup did not respond', expect.closeTo(39, 0), undefined],
  ]);
  expect(Date.parse(downSince('router-backup') ?? '')).toBeCloseTo(begin + 39 * minute, -5);
  expect(downSince('machine-state')).toBeUndefined();
});

it('counts unhealthy machines, and says what became worse and better', async () => {
  const { clock, open, span } = await newLab();
  const history = await open();
  const note = (machine: string, after: number, key: string, more: object = {}) =>
    history.add({ machine, kind: 'condition', key, at: begin + after, data: `${key}.`, ...more });
  note('rpi-1', -2 * hour, 'quarantined', { outcome: 'battery-low' });
  note('rpi-1', hour, 'ok');
  const behind = { cause: equipmentCause(['switch-1']) };
  note('rpi-2', -3 * hour, 'ok');
  note('rpi-2', 2 * hour, 'stale', { ...behind, seenAt: begin + 2 * hour - minute });
  // Its cause is found later.
  note('rpi-3', 2 * hour + 1000, 'stale', { seenAt: begin + 2 * hour - minute });
  note('rpi-3', 2 * hour + 9000, 'stale', { ...behind, seenAt: begin + 2 * hour - minute });
  note('rpi-3', 2 * hour + 5 * minute, 'gone');
  note('rpi-3', 3 * hour, 'ok');
  note('rpi-4', 4 * hour, 'quarantined', { outcome: 'forced' });
  history.add({ machine: '', kind: 'rack-file', at: begin + 5 * hour, data: '{"changes":["a"]}' });
  history.add({ machine: '', kind: 'rack-file', at: begin + 6 * hour, data: '{' });
  for (const [machine, previous] of [
    ['rpi-1', '1.0'],
    ['rpi-2', '0.9'],
  ] as const) {
    const data = JSON.stringify({ previous });
    history.add({ machine, kind: 'rollout', key: '1.1', at: begin + 7 * hour, data });
  }
  const hold = JSON.stringify({ by: 'ann', reason: 'on it: fan', until: '2026-11-20T22:00:00Z' });
  const holding = {
    machine: 'rpi-1',
    kind: 'hold',
    key: 'h1',
    outcome: 'on-it',
    at: begin - hour,
    data: hold,
  } as const;
  history.add(holding);
  history.add({ ...holding, at: begin + hour / 2, endedAt: begin + hour / 2, data: undefined });
  history.add({ ...holding, key: 'h2', endedAt: begin - minute });
  clock.pass(12 * hour);
  const found = await history.happenings({ ...span, changed: [] }, 1000);
  const standing = {
    ...{ name: 'rpi-5', condition: 'gone', sentence: 'no answer' },
    since: new Date(begin - 9 * hour).toISOString(),
  } as Machine;

  const { events, unhealthy, ...summary } = healthOf(found, [standing], span);

  expect(summary).toEqual({
    worse: { count: 1, where: 'rpi-2' },
    better: { count: 1, where: 'rpi-1' },
    waiting: { machine: 'rpi-5', since: standing.since, text: 'no answer' },
  });
  expect(unhealthy.map(([, count]) => count)).toEqual([2, 1, 3, 2]);
  const recorded = found.entries.flatMap((entry) => recordedEvent(entry) ?? []);
  const { rows } = mergeEvents([...events, ...recorded], 10);
  expect(rows.map(({ at, text, where }) => [at.slice(11, 16), text, where])).toEqual([
    ['16:00', 'quarantined: quarantined.; ended', 'rpi-1'],
    ['17:00', 'ann is on it: fan', 'rpi-1'],
    ['19:59', 'silent: stale.; 1 not back, 1 back', 'rpi-[2-3] (2)'],
    ['23:00', expect.stringContaining('rack.yaml changed'), ''],
    ['00:00', expect.stringContaining('rack.yaml changed'), ''],
    ['01:00', 'agent version 1.1', 'rpi-[1-2] (2)'],
  ]);
  expect(rows[1]).toMatchObject({ kind: 'on-it', by: 'ann' });
});

it('shows an effect as an interval, behind the act that explains it', () => {
  const machine = (name: string, after: number): TimelineEvent => ({
    ...{ id: `silent ${name}`, at: begin + after, endedAt: begin + 5 * minute, names: [name] },
    kind: 'silent',
    ...{ group: 'pdu-1+switch-1', equipment: ['pdu-1', 'switch-1'], text: 'silent' },
  });
  const act = (name: string, after: number): TimelineEvent => ({
    ...{ id: `cycle ${name}`, at: begin + after, endedAt: begin + after + 90_000, names: [name] },
    kind: 'cycle',
    ...{ group: 'ann', text: `power cycle of ${name}` },
  });
  const shown = (...all: TimelineEvent[]) =>
    mergeEvents(behindActs(all), 10).rows.map(({ text, at, endedAt }) => [
      text,
      Date.parse(at) - begin,
      Date.parse(endedAt ?? '') - begin,
    ]);

  const effect = ['silent', minute, 5 * minute];
  const acts = (name: string) => [`power cycle of ${name}`, 100_000, 190_000];
  expect(shown(machine('rpi-1', minute), act('switch-1', 100_000))).toEqual([
    acts('switch-1'),
    effect,
  ]);
  expect(shown(machine('rpi-1', minute), act('rpi-1', 100_000))).toEqual([acts('rpi-1'), effect]);
  // Of another one, or too late to be the reason.
  expect(shown(machine('rpi-1', minute), act('rpi-2', 100_000))).toEqual([effect, acts('rpi-2')]);
  expect(shown(machine('rpi-1', 30_000), act('rpi-1', 100_000))[0]?.[0]).toBe('silent');
});
