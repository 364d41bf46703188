import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type Enrolled, type Known, settlingMs } from './decide.ts';
import { checkSecret, newSecret } from './secrets.ts';

const now = Date.parse('2026-11-22T12:00:00Z');
const [key, otherKey] = ['a'.repeat(64), 'b'.repeat(64)];
const serial = '10000000f00dcafe';
const mac = 'dc:a6:32:00:00:01';
const asking = { key, serial, macs: [mac] };

const rack = (...all: { name: string; kind?: 'rpi' | 'host'; serial?: string; mac?: string }[]) =>
  new Map(all.map((each) => [each.name, { kind: 'rpi' as const, ...each }]));

function has(name: string, more: Partial<Enrolled> = {}): ReadonlyMap<string, Enrolled> {
  const at = new Date(now - 2 * settlingMs).toISOString();
  return new Map([[name, { name, key: otherKey, serial, at, ...more }]]);
}

function known(more: Partial<Known> = {}): Known {
  return {
    ...{ machines: rack({ name: 'rpi-1', serial }), enrolled: new Map(), rivals: 0, now },
    liveness: () => 'dead',
    ...more,
  };
}

const adoption = { key, name: 'rpi-2', by: 'ann', force: false };
const recent = new Date(now - 1000).toISOString();

describe('who a Pi is', () => {
  it.each<[string, Partial<Known>, string]>([
    ['its serial number', {}, 'rpi-1'],
    ['its MAC address', { machines: rack({ name: 'rpi-1', mac }) }, 'rpi-1'],
    ['both', { machines: rack({ name: 'rpi-1', mac, serial }) }, 'rpi-1'],
    ['a new card of a dead machine', { enrolled: has('rpi-1') }, 'rpi-1'],
    [
      'the same key again, a moment later',
      { enrolled: has('rpi-1', { key, at: recent }) },
      'rpi-1',
    ],
    [
      'the same key, though another one asks',
      { enrolled: has('rpi-1', { key }), rivals: 1 },
      'rpi-1',
    ],
    [
      'another name, since rack.yaml has changed',
      {
        enrolled: has('rpi-2', { key }),
        machines: rack({ name: 'rpi-1', serial }, { name: 'rpi-2' }),
      },
      'rpi-1',
    ],
    ['a person', { adoption, machines: rack({ name: 'rpi-2', serial: '0'.repeat(16) }) }, 'rpi-2'],
    [
      'a person, of a machine that is alive',
      {
        adoption: { ...adoption, force: true },
        machines: rack({ name: 'rpi-2' }),
        liveness: () => 'alive',
      },
      'rpi-2',
    ],
    [
      'what a person has decided, after a power cut',
      {
        enrolled: has('rpi-2', { key, by: 'ann', force: true }),
        ...{ machines: rack({ name: 'rpi-2' }), liveness: () => 'alive' },
      },
      'rpi-2',
    ],
    [
      'the board that a person has adopted once, with a new card',
      { enrolled: has('rpi-2', { by: 'ann' }), machines: rack({ name: 'rpi-2' }) },
      'rpi-2',
    ],
  ])('is known by %s', (_, more, name) => {
    expect(decide(asking, known(more))).toMatchObject({ give: name });
  });

  it.each<[string, Partial<Known>, string]>([
    ['unknown', { machines: rack({ name: 'rpi-1' }) }, 'no machine'],
    ['unknown', { machines: rack({ name: 'pc-1', kind: 'host', serial }) }, 'no machine'],
    ['unknown', { adoption }, 'no machine rpi-2 any more'],
    ['conflict', { machines: rack({ name: 'rpi-1', serial }, { name: 'rpi-2', mac }) }, 'of rpi-2'],
    [
      'conflict',
      { machines: rack({ name: 'rpi-1', serial, mac: '02:00:00:00:00:01' }) },
      'another MAC',
    ],
    [
      'conflict',
      { machines: rack({ name: 'rpi-1', mac, serial: '0'.repeat(16) }) },
      'another serial',
    ],
    [
      'copied',
      { enrolled: has('rpi-1', { key, serial: '0'.repeat(16) }) },
      'a copy of that of rpi-1',
    ],
    ['rivals', { rivals: 1 }, '2 computers'],
    ['given', { enrolled: has('rpi-1', { at: recent }) }, 'a moment ago'],
    ['alive', { liveness: () => 'alive' }, 'rpi-1 is alive'],
    ['alive', { enrolled: has('rpi-1', { key }), liveness: () => 'alive' }, 'rpi-1 is alive'],
    [
      'alive',
      { adoption, machines: rack({ name: 'rpi-2' }), liveness: () => 'alive' },
      'rpi-2 is alive',
    ],
    ['cluster', { liveness: () => 'unknown' }, 'API server'],
  ])('is for a person, or for later: %s', (wait, more, why) => {
    expect(decide(asking, known(more))).toMatchObject({ wait, why: expect.stringContaining(why) });
  });

  it('is never a machine that is alive, and never one of another board, without a person', () => {
    const names = fc.constantFrom('rpi-1', 'rpi-2', 'rpi-3');
    const serials = fc.constantFrom(serial, '1'.repeat(16), '2'.repeat(16));
    const macs = fc.constantFrom<string>(mac, '02:00:00:00:00:01', '02:00:00:00:00:02');
    const machine = fc.record(
      { name: names, kind: fc.constant('rpi' as const), serial: serials, mac: macs },
      { requiredKeys: ['name', 'kind'] },
    );
    const enrolled = fc.record({
      name: names,
      ...{ key: fc.constantFrom(key, otherKey), serial: serials },
      at: fc.constantFrom(recent, new Date(0).toISOString()),
    });
    fc.assert(
      fc.property(
        fc.array(machine, { maxLength: 3 }),
        fc.array(enrolled, { maxLength: 3 }),
        fc.record({ key: fc.constantFrom(key, otherKey), serial: serials, macs: fc.array(macs) }),
        fc.func(fc.constantFrom('alive', 'dead', 'unknown')),
        (machines, former, pi, alive) => {
          const decision = decide(pi, {
            ...known({ machines: rack(...machines) }),
            enrolled: new Map(former.map((each) => [each.name, each])),
            liveness: alive as Known['liveness'],
          });
          if (!('give' in decision)) return;
          const entry = rack(...machines).get(decision.give);
          expect(alive(decision.give)).toBe('dead');
          expect(entry?.serial ?? pi.serial).toBe(pi.serial);
          expect(entry?.mac === undefined || pi.macs.includes(entry.mac)).toBe(true);
        },
      ),
    );
  });
});

describe('the secret of an image', () => {
  const { kept, secret } = newSecret(30, 'ann', now);
  const all = new Map([[kept.id, kept]]);
  const day = 86_400_000;

  it.each<[string, string | undefined, number, string]>([
    ['is valid', secret, now, 'valid'],
    ['expires', secret, now + 30 * day, 'expired'],
    ['is not decided by a jumphost in 1970', secret, 1000, 'clock'],
    ['is needed', undefined, now, 'unknown'],
    ['is compared as a whole', `${secret}x`, now, 'unknown'],
    ['is not its id', kept.id, now, 'unknown'],
    ['is one of those that were made', `0000.${secret}`, now, 'unknown'],
  ])('%s', (_, given, at, state) => {
    expect(checkSecret(given, all, at)).toBe(state);
  });
});
