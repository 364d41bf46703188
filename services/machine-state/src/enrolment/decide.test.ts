import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type Enrolled, type Known } from './decide.ts';
import { checkSecret, newSecret, type SecretState } from './secrets.ts';

const now = Date.parse('2026-11-22T12:00:00Z');
const [key, otherKey] = ['a'.repeat(64), 'b'.repeat(64)];
const [serial, otherSerial] = ['10000000f00dcafe', '10000000f00dbeef'];
const [mac, otherMac] = ['dc:a6:32:00:00:01', 'dc:a6:32:00:00:02'];
const asking = { key, serial, macs: [mac] };

const rack = (...all: { name: string; kind?: 'rpi' | 'host'; serial?: string; mac?: string }[]) =>
  new Map(all.map((each) => [each.name, { kind: 'rpi' as const, ...each }]));

function has(name: string, more: Partial<Enrolled> = {}): ReadonlyMap<string, Enrolled> {
  const at = new Date(now).toISOString();
  return new Map([[name, { name, key: otherKey, serial, macs: [mac], at, ...more }]]);
}

function known(more: Partial<Known> = {}): Known {
  return {
    machines: rack({ name: 'rpi-1', serial }),
    enrolled: new Map(),
    rivals: 0,
    isRevoked: false,
    secret: 'valid',
    liveness: () => 'dead',
    ...more,
  };
}

const adoption = { key, name: 'rpi-2', by: 'ann', force: false };
const two = { machines: rack({ name: 'rpi-1', serial }, { name: 'rpi-2', serial: otherSerial }) };

describe('who a Pi is', () => {
  it.each<[string, Partial<Known>, string]>([
    ['its serial number', {}, 'rpi-1'],
    ['its MAC address', { machines: rack({ name: 'rpi-1', mac }) }, 'rpi-1'],
    ['both', { machines: rack({ name: 'rpi-1', mac, serial }) }, 'rpi-1'],
    [
      'its key, without the secret',
      { enrolled: has('rpi-1', { key }), secret: 'unknown' },
      'rpi-1',
    ],
    [
      'the same key, though another one asks',
      { enrolled: has('rpi-1', { key }), rivals: 1 },
      'rpi-1',
    ],
    [
      'the name that rack.yaml gives to its board now, without the secret',
      {
        enrolled: has('rpi-2', { key }),
        secret: 'unknown',
        machines: rack({ name: 'rpi-1', serial }, { name: 'rpi-2' }),
      },
      'rpi-1',
    ],
    [
      'the name that rack.yaml gives to its MAC address now',
      { enrolled: has('rpi-2', { key }), machines: rack({ name: 'rpi-1', mac }) },
      'rpi-1',
    ],
    [
      'the new name of a board that a person has adopted',
      { enrolled: has('rpi-2', { key, by: 'ann' }), machines: rack({ name: 'rpi-1', serial }) },
      'rpi-1',
    ],
    [
      'its key, where rack.yaml has neither serial number nor MAC address',
      { enrolled: has('rpi-1', { key, macs: [] }), machines: rack({ name: 'rpi-1' }) },
      'rpi-1',
    ],
    [
      'its key, where rack.yaml has got another MAC address',
      {
        enrolled: has('rpi-1', { key }),
        machines: rack({ name: 'rpi-1', serial, mac: otherMac }),
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
        machines: rack({ name: 'rpi-2' }),
        liveness: () => 'alive',
      },
      'rpi-2',
    ],
    [
      'a person who lets it replace another card',
      { adoption, ...two, enrolled: has('rpi-2') },
      'rpi-2',
    ],
  ])('is known by %s', (_, more, name) => {
    expect(decide(asking, known(more))).toMatchObject({ give: name });
  });

  it.each<[string, Partial<Known>, string]>([
    ['unknown', { machines: rack({ name: 'rpi-1' }) }, 'no machine'],
    ['unknown', { machines: rack({ name: 'pc-1', kind: 'host', serial }) }, 'no machine'],
    ['unknown', { adoption }, 'the machine rpi-2 is no longer in rack.yaml'],
    ['conflict', { machines: rack({ name: 'rpi-1', serial }, { name: 'rpi-2', mac }) }, 'to rpi-2'],
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
      'a copy of the one in rpi-1',
    ],
    ['rivals', { rivals: 1 }, '2 computers'],
    ['taken', { enrolled: has('rpi-1') }, 'adopt this Pi'],
    [
      'taken',
      { enrolled: has('rpi-2', { by: 'ann' }), machines: rack({ name: 'rpi-2' }) },
      'another SD card has the name rpi-2',
    ],
    ['expired', { secret: 'expired' }, 'has expired'],
    ['clock', { secret: 'clock' }, "the jumphost's clock"],
    ['alive', { liveness: () => 'alive' }, 'rpi-1 is running'],
    ['alive', { enrolled: has('rpi-1', { key }), liveness: () => 'alive' }, 'rpi-1 is running'],
    [
      'alive',
      { adoption, machines: rack({ name: 'rpi-2' }), liveness: () => 'alive' },
      'rpi-2 is running',
    ],
    ['cluster', { liveness: () => 'unknown' }, 'API server'],
  ])('is for a person, or for later: %s', (wait, more, why) => {
    expect(decide(asking, known(more))).toMatchObject({ wait, why: expect.stringContaining(why) });
  });

  const byMac = { machines: rack({ name: 'rpi-1', mac }, { name: 'rpi-2', mac: otherMac }) };
  const mine = has('rpi-1', { key });
  const neighbours = new Map([...mine, ...has('rpi-2', { serial: otherSerial, macs: [otherMac] })]);

  it.each<[string, Partial<typeof asking>, Partial<Known>, object]>([
    [
      "the neighbour's MAC address",
      { macs: [otherMac] },
      { ...byMac, enrolled: mine },
      { give: 'rpi-1' },
    ],
    [
      "the neighbour's MAC address, though its own machine is not in rack.yaml any more",
      { macs: [otherMac] },
      { machines: rack({ name: 'rpi-2', mac: otherMac }), enrolled: mine },
      { wait: 'unknown' },
    ],
    [
      'both MAC addresses',
      { macs: [otherMac, mac] },
      { ...byMac, enrolled: mine },
      { give: 'rpi-1' },
    ],
    [
      "the neighbour's serial number",
      { serial: otherSerial },
      { ...two, enrolled: mine },
      { wait: 'copied' },
    ],
    [
      'no secret, and no key that is known',
      { macs: [otherMac] },
      byMac,
      { reject: expect.stringContaining('secret') },
    ],
    [
      "no secret, but its neighbour's serial number",
      { serial: otherSerial },
      two,
      { reject: expect.anything() },
    ],
    [
      'the serial number that rack.yaml moves to a name of another card',
      {},
      { machines: rack({ name: 'rpi-2', serial }), enrolled: neighbours },
      { wait: 'taken', name: 'rpi-2' },
    ],
  ])('is no other machine with %s', (_, asked, more, expected) => {
    expect(decide({ ...asking, ...asked }, known({ secret: 'unknown', ...more }))).toMatchObject(
      expected,
    );
  });

  it.each<[string, Partial<Known>]>([
    ['by its key', {}],
    ['with the secret of an image and a board of rack.yaml', { secret: 'valid' }],
    ['with a record that is left', { enrolled: mine }],
    ['adopted by mistake', { adoption }],
  ])('gets nothing with a revoked key: %s', (_, more) => {
    const decision = decide(asking, known({ isRevoked: true, secret: 'unknown', ...more }));

    expect(decision).toEqual({ reject: expect.stringContaining('revoked') });
  });

  const names = fc.constantFrom<string>('rpi-1', 'rpi-2', 'rpi-3');
  const serials = fc.constantFrom(serial, otherSerial, '2'.repeat(16));
  const macs = fc.constantFrom<string>(mac, otherMac, '02:00:00:00:00:03');
  const keys = fc.constantFrom(key, otherKey, 'c'.repeat(64));
  const machine = fc.record(
    { name: names, kind: fc.constant('rpi' as const), serial: serials, mac: macs },
    { requiredKeys: ['name', 'kind'] },
  );
  const enrolled = fc.record(
    {
      name: names,
      key: keys,
      serial: serials,
      macs: fc.array(macs, { maxLength: 2 }),
      at: fc.constant(new Date(now).toISOString()),
      by: fc.constant('ann'),
    },
    { requiredKeys: ['name', 'key', 'serial', 'macs', 'at'] },
  );
  const anything = {
    machines: fc.uniqueArray(machine, { selector: ({ name }) => name }),
    previous: fc.uniqueArray(enrolled, { selector: (each) => each.key }),
    pi: fc.record({ key: keys, serial: serials, macs: fc.array(macs, { maxLength: 3 }) }),
    alive: fc.func(fc.constantFrom('alive', 'dead', 'unknown')),
    secret: fc.constantFrom<SecretState>('valid', 'expired', 'clock', 'unknown'),
  };

  it('is never a machine that is alive, of another board or of another card, without a person', () => {
    fc.assert(
      fc.property(fc.record(anything), ({ machines, previous, pi, alive, secret }) => {
        const all = new Map(previous.map((each) => [each.name, each]));
        const more = { machines: rack(...machines), enrolled: all, secret };
        const answerTo = (macs: string[]) =>
          decide({ ...pi, macs }, known({ ...more, liveness: alive as Known['liveness'] }));

        const decision = answerTo(pi.macs);

        const own = [...all.values()].find((each) => each.key === pi.key);
        // What a card says later than with the secret of its image changes nothing.
        if (own !== undefined) expect(answerTo([])).toEqual(decision);
        if (!('give' in decision)) return;
        const entry = more.machines.get(decision.give);
        expect(alive(decision.give)).toBe('dead');
        expect(all.get(decision.give)?.key ?? pi.key).toBe(pi.key);
        expect(entry?.serial === undefined || entry.serial === pi.serial || own?.by).toBeTruthy();
        if (own?.name === decision.give) return;
        expect(own !== undefined || secret === 'valid').toBe(true);
        const board = own ?? pi;
        expect(entry?.mac === undefined || board.macs.includes(entry.mac)).toBe(true);
        expect(entry?.serial === board.serial || entry?.mac !== undefined).toBe(true);
      }),
      runs(500),
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
