import type { Evidence, MachinePower } from '@skolo/api';
import { equipmentCause } from '@skolo/api/cause';
import { expect, it } from 'vitest';
import { differences } from './differences.ts';
import { type EvidenceSources, evidenceOf } from './evidence.ts';

const wiring = { uplink: 'switch-1/ge-0/0/3', power: ['pdu-1/4'] };
const machine = { name: 'rpi-1', condition: 'gone', sentence: 'silent', wiring } as const;
const why = 'connect ECONNREFUSED 192.168.1.101:11001';
const unread = () => 'router-backup: login rejected';
const linked = (isUp: boolean) => () => new Map([['ge-0/0/3', isUp]]);
const at = '2026-11-20T03:00:00Z';

function power(
  outlet: Partial<MachinePower['outlets'][number]>,
  down: string[] = [],
): EvidenceSources['power'] {
  const own = { outlet: 'pdu-1/4', controller: 'pdu-1', feeds: ['rpi-1'], stuckOff: false };
  const outlets = [{ ...own, state: 'on' as const, ...outlet }];
  return {
    machines: new Map([['rpi-1', { name: 'rpi-1', kind: 'machine', outlets, controllers: [] }]]),
    controllers: new Map(
      down.map((name) => [
        name,
        { ...{ name, model: 'x', level: 'read', queue: 0 }, state: 'down', detail: 'no answer' },
      ]),
    ),
  };
}

it.each<[string, Partial<EvidenceSources>, [Evidence['kind'], string][]]>([
  [
    'an outlet that a person turned off',
    {
      power: power({ state: 'off', switchedOff: { by: 'ann', at, reason: 'fan' } }),
      links: linked(false),
    },
    [
      [
        'switched-off',
        'outlet pdu-1/4 stays off until someone turns it on: turned off by ann: fan',
      ],
      ['no-link', 'port switch-1/ge-0/0/3 has no link'],
    ],
  ],
  [
    'an outlet that stays off by itself',
    { power: power({ state: 'off' }), links: linked(false) },
    [
      ['outlet-off', expect.stringMatching(/^outlet pdu-1\/4 is off: nobody turned it off/)],
      ['no-link', expect.any(String)],
    ],
  ],
  [
    'an outlet without power',
    { power: power({ fault: 'Overload' }), links: linked(false) },
    [
      ['outlet-fault', 'outlet pdu-1/4 is on, but delivers no power: Overload'],
      ['no-link', expect.any(String)],
    ],
  ],
  [
    'a dead switch, of which nothing can be read',
    { power: power({ state: 'unknown' }, ['switch-1']) },
    [
      ['equipment-down', 'switch-1 is down: no answer'],
      [
        'no-answer',
        'its link is unknown (router-backup: login rejected), but the machine does not respond: connection timed out',
      ],
    ],
  ],
  ['no link', { links: linked(false) }, [['no-link', 'port switch-1/ge-0/0/3 has no link']]],
  [
    'a link, but no answer',
    { links: linked(true) },
    [
      [
        'no-answer',
        'port switch-1/ge-0/0/3 has a link, but the machine does not respond: connection timed out',
      ],
    ],
  ],
  [
    'an agent that does not run',
    { links: linked(true), why },
    [['agent-silent', expect.stringContaining('ECONNREFUSED')]],
  ],
  [
    'a connection that is refused although the outlet is off',
    { power: power({ state: 'off' }), links: linked(false), why },
    [
      ['outlet-off', expect.any(String)],
      ['no-link', expect.any(String)],
    ],
  ],
  [
    'a connection that something in front of a dead switch refuses',
    { power: power({}, ['switch-1']), why },
    [
      ['equipment-down', expect.any(String)],
      ['no-answer', expect.stringContaining('refused'.toUpperCase())],
    ],
  ],
  [
    'an outlet that is off behind a dead switch',
    { power: power({ state: 'off' }, ['switch-1']) },
    [
      ['outlet-off', expect.any(String)],
      ['equipment-down', expect.any(String)],
      ['no-answer', expect.any(String)],
    ],
  ],
  [
    'a port that the switch did not list is not one without a link',
    { links: () => new Map([['1', false]]) },
    [['no-answer', expect.stringContaining('switch-1/ge-0/0/3 was not listed')]],
  ],
])('says of %s what is known, and no more', (_, sources, expected) => {
  const all = { links: unread, why: 'connection timed out', ...sources };
  const found = evidenceOf(machine, all);

  expect(found.map(({ kind, text }) => [kind, text])).toEqual(expected);
});

it('says nothing about an outlet while the power-cycle daemon does not respond', () => {
  expect(evidenceOf(machine, { links: linked(true) })).toMatchObject([
    { kind: 'no-answer', text: expect.stringContaining('no request was made yet') },
  ]);
});

it('finds what those that did not return share', () => {
  const [old, fresh] = [
    ['model pixel 6', 'shelf shelf1'],
    ['model pixel 8', 'shelf shelf1'],
  ];

  expect(differences([old, old, fresh], [fresh, fresh, fresh, fresh])).toEqual([
    'model pixel 6: 2 of 3 that did not return, 0 of 4 that did',
  ]);
  // All are on the shelf, and nothing is known about any that returned.
  expect(differences([old], [fresh, old])).toEqual([]);
  expect(differences([old, old], [])).toEqual([]);
  expect(differences([], [old])).toEqual([]);
});

it('says first that an outlet is off, also if another one has a fault', () => {
  const faulty = power({ fault: 'Overload' });
  const [first] = faulty?.machines.get('rpi-1')?.outlets ?? [];
  if (!faulty || !first) throw new Error('it has an outlet');
  const second = { ...first, outlet: 'pdu-2/4', state: 'off' as const, fault: undefined };
  const own = { name: 'rpi-1', kind: 'machine' as const, controllers: [] };
  const sources = {
    ...faulty,
    machines: new Map([['rpi-1', { ...own, outlets: [first, second] }]]),
  };

  const found = evidenceOf(machine, { power: sources, links: linked(false) });
  expect(found.map(({ kind }) => kind)).toEqual(['outlet-off', 'outlet-fault', 'no-link']);
});

it.each<[string, EvidenceSources['links'], Evidence['kind']]>([
  ['responds if its port has a link', linked(true), 'agent-silent'],
  ['is unknown if its link is', unread, 'no-answer'],
  ['is unknown if its port has no link', linked(false), 'no-link'],
])(
  'a machine that refuses a connection while others at its switch are silent %s',
  (_, links, kind) => {
    const suspected = { ...machine, cause: equipmentCause(['switch-1']) };

    expect(evidenceOf(suspected, { links, why }).map((each) => each.kind)).toEqual([kind]);
  },
);
