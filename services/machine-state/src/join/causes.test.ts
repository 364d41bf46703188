import { equipmentCause } from '@skolo/api/cause';
import { words } from '@skolo/api/words';
import { runs } from '@skolo/base/testing';
import { parseRack, type Rack } from '@skolo/rack';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { behindEquipment, type CauseSources, commonCauses } from './causes.ts';

/** Two switches below a third one, which the jumphost and the router are at. */
const rack = parseRack(
  `rack: rack4
network: { subnet: 192.168.1.0/24 }
jumphost: { name: jumphost, address: 192.168.1.8, uplink: core/1, power: pdu-2/8 }
equipment:
  router: { model: edgeos, address: 192.168.1.1, uplink: internet, power: pdu-2/1 }
  core: { model: edgeswitch, address: 192.168.1.10, uplink: router, power: pdu-2/2 }
  switch-1: { model: edgeswitch, address: 192.168.1.11, uplink: core/11, power: pdu-1/1 }
  switch-2: { model: edgeswitch, address: 192.168.1.12, uplink: core/12, power: [pdu-1/2, pdu-2/4] }
  pdu-1: { model: apc-rpdu2, address: 192.168.1.30, uplink: core/3 }
  pdu-2: { model: apc-rpdu2, address: 192.168.1.31, uplink: core/4 }
machines:
  a-[1-4]: { kind: rpi, address: 192.168.1.10[1-4], uplink: "switch-1/[1-4]", power: "switch-1/[1-4]" }
  b-[1-3]: { kind: rpi, address: 192.168.1.11[1-3], uplink: "switch-2/[1-3]", power: "pdu-1/[5-7]" }
`,
  { file: 'rack.yaml' },
);
const a = ['a-1', 'a-2', 'a-3', 'a-4'];
const b = ['b-1', 'b-2', 'b-3'];
const since = Date.parse('2026-11-20T12:00:00Z');

function causesOf(silent: readonly string[], more: Partial<CauseSources> = {}, of: Rack = rack) {
  return commonCauses({
    behind: behindEquipment(of),
    silent: new Map(silent.map((name) => [name, since])),
    silenceMs: 50_000,
    hasReported: () => true,
    stateOf: () => ({ state: 'unknown' }),
    ...more,
  });
}

describe('behindEquipment', () => {
  it('are the machines without power, or with a piece of equipment off on their way to the jumphost', () => {
    expect(Object.fromEntries(behindEquipment(rack))).toEqual({
      'switch-1': a,
      'switch-2': b,
      core: [...a, ...b],
      // The jumphost reaches its machines without the internet connection.
      router: [],
      'pdu-1': [...a, ...b],
      // It feeds the core.
      'pdu-2': [...a, ...b],
    });
  });
});

describe('commonCauses', () => {
  it('names the one piece of equipment whose machines are all silent, and only those', () => {
    expect(causesOf(a)).toEqual([
      {
        ...equipmentCause(['switch-1']),
        why: words('none of the 4 machines behind switch-1 responds'),
        since: '2026-11-20T12:00:00.000Z',
        machines: a,
      },
    ]);
    expect(causesOf(a.slice(1))).toEqual([]);
    expect(causesOf([...a, 'b-1'])).toMatchObject([{ code: 'switch-1', machines: a }]);
  });

  it('prefers what is known to be down, and excludes what is up', () => {
    const pduIsDown = (name: string) =>
      name === 'pdu-1'
        ? { state: 'down' as const, why: 'no answer to SNMP' }
        : { state: 'unknown' as const };
    expect(causesOf([...a, ...b], { stateOf: pduIsDown })).toMatchObject([
      {
        code: 'pdu-1',
        why: 'pdu-1 is down (no answer to SNMP): none of the 7 machines behind pdu-1 responds',
      },
    ]);
    expect(causesOf(a, { stateOf: () => ({ state: 'up' }) })).toEqual([]);
  });

  it('names all that explain the same machines: of those that are down, the older silence first', () => {
    const single = parseRack(
      `rack: rack4
network: { subnet: 192.168.1.0/24 }
jumphost: { name: jumphost, address: 192.168.1.8 }
equipment:
  pdu-1: { model: apc-rpdu2, address: 192.168.1.30 }
  switch-1: { model: edgeswitch, address: 192.168.1.11, power: pdu-1/1 }
machines:
  a-[1-4]: { kind: rpi, address: 192.168.1.10[1-4], uplink: "switch-1/[1-4]", power: "switch-1/[1-4]" }
`,
      { file: 'rack.yaml' },
    );
    const whats = (since: Record<string, string | undefined>) =>
      causesOf(
        a,
        {
          stateOf: (name) => {
            const at = since[name];
            return at === undefined ? { state: 'unknown' } : { state: 'down', since: at };
          },
        },
        single,
      ).map(({ text }) => `${text}`);

    expect(whats({})).toEqual(['switch-1 or pdu-1']);
    const [early, late] = ['2026-11-20T11:59:00.000Z', '2026-11-20T12:01:00.000Z'];
    expect(whats({ 'switch-1': early, 'pdu-1': late })).toEqual(['switch-1 or pdu-1']);
    expect(whats({ 'switch-1': late, 'pdu-1': early })).toEqual(['pdu-1 or switch-1']);
    expect(whats({ 'switch-1': late })).toEqual(['switch-1']);
  });

  it.each(['up', 'unknown'] as const)(
    'excludes equipment that answered after its machines fell silent, not before: %s',
    (state) => {
      const answered = (answeredAt: number) =>
        causesOf(a, { stateOf: () => ({ state, answeredAt }) });

      expect(answered(since + 40_000)).toMatchObject([{ code: 'switch-1', machines: a }]);
      expect(answered(since + 50_000)).toEqual([]);
    },
  );

  it('asks machines that have reported before, and enough of them', () => {
    const isSecond = (name: string) => name === 'a-2' || name === 'a-3';
    expect(causesOf(['a-2', 'a-3'], { hasReported: isSecond })).toEqual([]);
    expect(
      causesOf(['a-2', 'a-3'], { hasReported: isSecond, stateOf: () => ({ state: 'down' }) }),
    ).toMatchObject([{ machines: ['a-2', 'a-3'] }]);
  });

  it('explains only silent machines, each once', () => {
    const states = fc.constantFrom('up', 'down', 'unknown' as const);
    fc.assert(
      fc.property(
        fc.subarray([...a, ...b]),
        fc.subarray([...a, ...b]),
        fc.dictionary(fc.constantFrom(...rack.equipment.keys()), states),
        (silent, reported, known) => {
          const causes = causesOf(silent, {
            hasReported: (name) => reported.includes(name),
            stateOf: (name) => ({ state: (known[name] ?? 'unknown') as 'up' }),
          });

          const explained = causes.flatMap(({ machines }) => machines);
          expect(new Set(explained).size).toBe(explained.length);
          for (const name of explained) {
            expect(silent).toContain(name);
            expect(reported).toContain(name);
          }
          const named = causes.flatMap(({ equipment = [] }) => equipment);
          for (const each of named) expect(known[each]).not.toBe('up');
        },
      ),
      runs(500),
    );
  });
});
