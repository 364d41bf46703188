import { runs } from '@skolo/base/testing';
import { parseRack, type Rack } from '@skolo/rack';
import { editRack } from '@skolo/rack/edit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Place, readingsOf, switchMac, type Wired } from '../../../testing/wired-rack.ts';
import { type CableFinding, compare } from './compare.ts';
import { possibleEdits } from './possible-edits.ts';

const portCount = 26;
const file = 'rack.yaml';

interface Written {
  name: string;
  place: Place;
  mac?: string;
  address: string;
  power?: string;
}

const switches = new Map<string, Place>([
  ['switch-1', { device: 'router', port: 'eth1' }],
  ['switch-2', { device: 'switch-1', port: '21' }],
  ['switch-3', { device: 'switch-2', port: '20' }],
  ['switch-4', { device: 'switch-1', port: '22' }],
]);

function rackText(machines: readonly Written[], wired = switches): string {
  const devices = [...wired].map(
    ([name, { device, port }], at) =>
      `  ${name}: { model: edgeswitch, portCount: 22, address: 192.168.1.${at + 11}, login: switches, uplink: ${device}/${port} }`,
  );
  const entries = machines.map(
    ({ name, place, mac, address, power }) =>
      `  ${name}: { kind: host, address: ${address}${mac ? `, mac: "${mac}"` : ''}, uplink: ${place.device}/${place.port}${power ? `, power: ${power}` : ''} } # ${name}`,
  );
  return `rack: rack4
timezone: UTC
network: { subnet: 192.168.1.0/24 }
jumphost: { name: jumphost, address: 192.168.1.8 }
logins: { switches: { username: ubnt, password: secrets/switch } }
equipment:
  router: { model: edgeos, address: 192.168.1.1, login: switches, uplink: internet }
${devices.join('\n')}
machines:
${entries.join('\n')}
`;
}

function rackOf(text: string): Rack {
  return parseRack(text, { file });
}

function macOf(index: number): string {
  return `b8:27:eb:00:00:${index.toString(16).padStart(2, '0')}`;
}

const [first, second] = [
  { device: 'switch-1', port: '1' },
  { device: 'switch-2', port: '2' },
];
const machine = { name: 'a', place: first, mac: macOf(1), address: '192.168.1.101' };
const other = { name: 'b', place: second, mac: macOf(2), address: '192.168.1.102' };

function wiredAs(...hosts: Wired['hosts'][number][]): Wired {
  return { switches, hosts, portCount };
}

function live(
  { mac, place, address }: typeof machine,
  changes: Partial<Wired['hosts'][number]> = {},
) {
  return { mac, place, address, ...changes };
}

function found(rack: string, wired: Wired, without: readonly string[] = []): CableFinding[] {
  return compare(rackOf(rack), readingsOf(wired, without)).findings;
}

describe('a cabling audit', () => {
  it('has nothing to say where all is as written', () => {
    const audit = compare(
      rackOf(rackText([machine, other])),
      readingsOf(wiredAs(live(machine), live(other))),
    );

    expect(audit).toMatchObject({ findings: [], unseen: [] });
    expect(audit.confirmed).toEqual(['a', 'b', 'switch-2', 'switch-3', 'switch-4']);
  });

  it('sees where a cable is now, and proposes to move the outlet with it', () => {
    const text = rackText([{ ...machine, power: 'switch-1/1' }, other]);
    const place = { device: 'switch-3', port: '7' };

    expect(found(text, wiredAs(live(machine, { place }), live(other)))).toEqual([
      {
        kind: 'moved-cable',
        thing: 'a',
        state: 'differs',
        found: 'is at switch-3/7',
        expected: 'switch-1/1',
        edits: [{ name: 'a', key: 'uplink', value: 'switch-3/7' }],
        power: { edit: { name: 'a', key: 'power', value: 'switch-3/7' }, card: macOf(1) },
      },
    ]);
  });

  it('sees an outlet that was left behind when its cable was moved', () => {
    const text = rackText([{ ...machine, power: 'switch-1/5' }, other]);
    const rack = rackOf(text);

    const { findings, confirmed } = compare(rack, readingsOf(wiredAs(live(machine), live(other))));

    expect(confirmed).toContain('a');
    expect(findings).toEqual([
      {
        kind: 'wrong-outlet',
        thing: 'a',
        state: 'differs',
        found: 'is plugged into switch-1/1',
        expected: 'switch-1/5, its outlet in rack.yaml',
        edits: [],
        power: { edit: { name: 'a', key: 'power', value: 'switch-1/1' }, card: macOf(1) },
      },
    ]);
    expect(possibleEdits(rack, findings, new Set()).edits).toEqual([]);
    expect(possibleEdits(rack, findings, new Set(['a'])).edits).toHaveLength(1);
  });

  it('leaves the outlet where another one feeds it, or the port feeds nothing', () => {
    const place = { device: 'switch-3', port: '24' };
    const wired = wiredAs(live(machine, { place }), live(other));

    const [own, sfp] = [
      found(rackText([{ ...machine, power: 'switch-1/5' }, other]), wired),
      found(rackText([{ ...machine, power: 'switch-1/1' }, other]), wired),
    ];

    for (const [finding] of [own, sfp]) {
      expect(finding?.edits).toHaveLength(1);
      expect(finding?.power).toBeUndefined();
    }
  });

  it('sees a switch whose own cable was moved, also to another switch', () => {
    const moved = new Map(switches).set('switch-3', { device: 'switch-4', port: '5' });
    const wired = { ...wiredAs(live(machine), live(other)), switches: moved };

    expect(found(rackText([machine, other]), wired)).toMatchObject([
      { kind: 'moved-cable', thing: 'switch-3', edits: [{ key: 'uplink', value: 'switch-4/5' }] },
    ]);
  });

  it('tells a new card from a new machine', () => {
    const text = rackText([machine, other]);
    const board = wiredAs(live(machine, { mac: macOf(9) }), live(other));
    const guest = {
      mac: macOf(9),
      place: { device: 'switch-1', port: '3' },
      address: '192.168.1.77',
      hostname: 'guest',
    };

    expect(found(text, board)).toMatchObject([
      {
        kind: 'wrong-mac',
        thing: 'a',
        found: `${macOf(9)} is at port switch-1/1 and at address 192.168.1.101`,
        expected: `${macOf(1)} (\`mac\` in rack.yaml), which was not found`,
        edits: [{ name: 'a', key: 'mac', value: macOf(9) }],
      },
    ]);
    expect(found(text, wiredAs(live(machine), live(other), guest))).toMatchObject([
      {
        kind: 'unknown-machine',
        thing: 'switch-1/3',
        found: `${macOf(9)} is connected, at 192.168.1.77, named guest`,
        advice: `add to rack.yaml: \`guest: { kind: host, address: 192.168.1.77, mac: ${macOf(9)}, uplink: switch-1/3 }\``,
      },
    ]);
  });

  it('says when a single switch is the only witness of a new card', () => {
    const guest: Wired['hosts'][number] = {
      mac: macOf(9),
      place: { device: 'switch-2', port: '3' },
    };
    const [hosts, board] = [
      [live(machine), live(other), guest],
      [live(machine), { ...guest, place: second }],
    ];
    const doubt = `Only switch-2 reports ${macOf(9)}; before you accept it, check it on the equipment itself`;
    const others = ['router', 'switch-1', 'switch-3', 'switch-4'];
    const text = rackText([machine, other]);

    expect(found(text, wiredAs(...hosts), others)).toMatchObject([
      { kind: 'unknown-machine', advice: expect.stringMatching(new RegExp(`. ${doubt}$`)) },
    ]);
    expect(found(text, wiredAs(...board), others)).toMatchObject([
      { kind: 'wrong-mac', edits: [{ key: 'mac', value: macOf(9) }], advice: doubt },
    ]);
    const [seen] = found(text, wiredAs(...hosts));
    expect(seen?.advice).not.toContain('Only');
  });

  it('does not say which card is new where port and address disagree', () => {
    const strangers = [
      { mac: macOf(8), place: first },
      { mac: macOf(9), place: { device: 'switch-1', port: '4' }, address: machine.address },
    ];

    const kinds = found(rackText([machine, other]), wiredAs(live(other), ...strangers)).map(
      ({ kind }) => kind,
    );

    expect(kinds).toEqual(['unknown-machine', 'unknown-machine']);
  });

  it('sees another address', () => {
    const wired = wiredAs(live(machine, { address: '192.168.1.55' }), live(other));

    expect(found(rackText([machine, other]), wired)).toMatchObject([
      {
        kind: 'wrong-address',
        thing: 'a',
        edits: [{ name: 'a', key: 'address', value: '192.168.1.55' }],
      },
    ]);
  });

  it('sees a dead port, and nothing in a machine that is only silent', () => {
    const text = rackText([machine, other]);
    const readings = readingsOf(wiredAs(live(other)));

    const dead = compare(rackOf(text), readings);
    for (const { equipment: device, ports } of readings) {
      if (device === 'switch-1') for (const port of ports) port.up ||= port.name === '1';
    }
    const silent = compare(rackOf(text), readings);

    expect(dead.findings).toMatchObject([
      { kind: 'dead-port', thing: 'a', found: 'port switch-1/1 has no link' },
    ]);
    expect(silent).toMatchObject({ findings: [], unseen: ['a'] });
  });

  it('says nothing of what is behind a switch that nobody knows', () => {
    const text = rackText([machine, other]);
    const hub = { device: 'switch-1', port: '9' };
    const guests = [1, 2, 3].map((at) => ({ mac: macOf(100 + at), place: hub }));

    expect(found(text, wiredAs(live(machine), live(other), ...guests))).toEqual([]);
    expect(
      found(text, wiredAs(live(machine, { place: hub }), live(other), ...guests)),
    ).toMatchObject([
      {
        kind: 'moved-cable',
        thing: 'a',
        found: 'is somewhere behind switch-1/9',
        expected: 'switch-1/1',
        edits: [],
      },
    ]);
  });

  it('says nothing of what hangs on a switch that was not read', () => {
    const text = rackText([machine, other]);
    const wired = wiredAs(live(machine), live(other));

    const { findings, confirmed } = compare(rackOf(text), readingsOf(wired, ['switch-2']));

    expect(findings).toEqual([]);
    expect(confirmed).toContain('a');
    expect(confirmed).not.toContain('b');
  });

  it('does not take the way to a switch that was not read for a place', () => {
    const two = new Map([...switches].slice(0, 2));
    const text = rackText([machine], two);
    const readings = readingsOf({ ...wiredAs(live(machine)), switches: two }, [
      'switch-1',
      'router',
    ]);
    for (const reading of readings) {
      reading.hosts = reading.hosts.filter(({ mac }) => mac === macOf(1));
    }

    expect(compare(rackOf(text), readings).findings).toEqual([]);
  });

  it('leaves the place of one that is not seen to it', () => {
    const rack = rackOf(rackText([machine, other]));
    const { findings } = compare(rack, readingsOf(wiredAs(live(machine, { place: second }))));

    expect(possibleEdits(rack, findings, new Set())).toEqual({
      edits: [],
      blocked: [
        {
          name: 'a',
          why: 'switch-2/2 belongs to b in rack.yaml; find that machine and run the command again',
        },
      ],
    });
  });

  it('moves the outlets of two that were swapped only together', () => {
    const [one, two] = [
      { ...machine, power: 'switch-1/1' },
      { ...other, power: 'switch-2/2' },
    ];
    const rack = rackOf(rackText([one, two]));
    const { findings } = compare(
      rack,
      readingsOf(wiredAs(live(one, { place: second }), live(two, { place: first }))),
    );
    const possible = (...verified: string[]) => possibleEdits(rack, findings, new Set(verified));

    expect(possible().edits).toEqual([]);
    expect(possible('a').edits).toEqual([]);
    expect(possible().blocked).toContainEqual({
      name: 'a',
      why: 'switch-2/2 is still assigned to b in rack.yaml; skolo check outlets must verify the new outlet of b first',
    });
    expect(
      possible('a', 'b').edits.map(({ name, key, value }) => `${name} ${key} ${value}`),
    ).toEqual([
      'a uplink switch-2/2',
      'a power switch-2/2',
      'b uplink switch-1/1',
      'b power switch-1/1',
    ]);
  });

  it('takes a router that is not read for a machine, and says so', () => {
    const text = rackText([machine, other]);
    const quiet = readingsOf(
      { ...wiredAs(live(machine)), switches: new Map([...switches].slice(0, 1)) },
      ['router'],
    );

    const strangers = compare(rackOf(text), quiet).findings.filter(
      ({ kind }) => kind === 'unknown-machine',
    );

    expect(strangers).toMatchObject([
      {
        thing: 'switch-1/26',
        advice:
          'if this is router, add `mac: 80:2a:a8:00:00:01` to its entry. Only switch-1 reports 80:2a:a8:00:00:01; before you accept it, check it on the equipment itself',
      },
    ]);
  });

  it('says nothing wrong of a rack that is as written, whatever is silent or not read', () => {
    const ports = ['switch-1', 'switch-2', 'switch-3', 'switch-4'].flatMap((device) =>
      [1, 2, 3].map((port): Place => ({ device, port: String(port) })),
    );
    const machines = ports.map((place, at): Written => {
      return { name: `m-${at}`, place, mac: macOf(at + 1), address: `192.168.1.${at + 101}` };
    });
    const rack = rackOf(rackText(machines));
    const unread = fc.subarray([...switches.keys(), 'router']);
    fc.assert(
      fc.property(fc.subarray(machines), unread, fc.boolean(), (speaking, without, isQuiet) => {
        const hosts = speaking.map(({ mac = '', place, address }) => ({ mac, place, address }));
        const readings = readingsOf({ switches, hosts, portCount }, without);
        // Switches that send no packets themselves.
        const own = new Set([...switches.keys()].map(switchMac));
        for (const reading of isQuiet ? readings : []) {
          reading.hosts = reading.hosts.filter(({ mac }) => !own.has(mac));
        }

        const { findings } = compare(rack, readings);

        const wrong = findings.filter(({ kind, advice = '' }) => {
          return kind !== 'dead-port' && !advice.startsWith('if this is ');
        });
        expect(wrong).toEqual([]);
      }),
      runs(300),
    );
  });

  it('finds nothing any more once its edits are made, however cables were moved', () => {
    const count = 14;
    const ports = ['switch-1', 'switch-2', 'switch-3', 'switch-4'].flatMap((device) =>
      Array.from({ length: 8 }, (_, at): Place => ({ device, port: String(at + 1) })),
    );
    const shuffled = fc.shuffledSubarray(ports, { minLength: count, maxLength: count });
    const isKnown = fc.array(fc.boolean(), { minLength: count, maxLength: count });
    fc.assert(
      fc.property(
        shuffled,
        shuffled,
        isKnown,
        fc.boolean(),
        (before, after, hasMac, switchMoves) => {
          const machines = before.map((place, at): Written => {
            const mac = hasMac[at] ? { mac: macOf(at + 1) } : {};
            const power = at % 3 === 0 ? { power: `${place.device}/${place.port}` } : {};
            return {
              name: `m-${at + 1}`,
              place,
              address: `192.168.1.${at + 101}`,
              ...mac,
              ...power,
            };
          });
          const hosts = after.map((place, at) => ({
            mac: macOf(at + 1),
            place,
            address: `192.168.1.${at + 101}`,
          }));
          const moved = new Map(switches).set('switch-3', { device: 'switch-4', port: '12' });
          const wired: Wired = { switches: switchMoves ? moved : switches, hosts, portCount };
          const text = rackText(machines);
          const readings = readingsOf(wired);

          const { findings } = compare(rackOf(text), readings);
          const verified = new Set(findings.map(({ thing }) => thing));
          const { edits, blocked } = possibleEdits(rackOf(text), findings, verified);
          const corrected = editRack(text, edits, file);

          expect([...corrected.left, ...blocked]).toEqual([]);
          const rack = rackOf(corrected.text);
          expect(compare(rack, readings).findings).toEqual([]);
          const places = [...rack.machines.values()].map(({ uplink }) => uplink);
          expect(places).toEqual(after.map(({ device, port }) => ({ device, outlet: port })));
          expect(corrected.text.match(/# m-\d+/g)).toHaveLength(count);
        },
      ),
      runs(60),
    );
  });
});
