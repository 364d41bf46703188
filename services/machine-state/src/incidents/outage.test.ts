/** After a mains failure: who has not come back, and what is known about each. */
import type { Evidence, MachinePower } from '@skolo/api';
import { incidentText } from '@skolo/api/incident-text';
import { parseRack } from '@skolo/rack';
import { expect, it } from 'vitest';
import { startOutageLab } from '../testing/outage-lab.ts';

const shelves = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const perShelf = 30;
const rack = parseRack(
  `rack: rack4
network: { subnet: 10.0.0.0/16 }
jumphost: { name: jumphost, address: 10.0.0.8 }
equipment:
${shelves
  .map(
    (n) => `  pdu-${n}: { model: apc-rpdu2, address: 10.0.2.${n} }
  switch-${n}: { model: edgeswitch, address: 10.0.1.${n}, power: pdu-${n}/24 }
`,
  )
  .join('')}machines:
${shelves
  .map(
    (n) =>
      `  s${n}-[01-${perShelf}]: { kind: rpi, shelf: shelf${n}, uplink: "switch-${n}/[1-${perShelf}]", power: "switch-${n}/[1-${perShelf}]" }\n`,
  )
  .join('')}`,
  { file: 'rack.yaml' },
);
const names = [...rack.machines.keys()];

/** Six reasons, two machines each. */
const planted: readonly [string, Evidence['kind']][] = [
  ['s1-07', 'switched-off'],
  ['s1-08', 'switched-off'],
  ['s2-30', 'outlet-off'],
  ['s5-01', 'outlet-off'],
  ['s3-12', 'outlet-fault'],
  ['s6-30', 'outlet-fault'],
  ['s4-29', 'no-link'],
  ['s4-02', 'no-link'],
  ['s2-20', 'no-answer'],
  ['s6-09', 'no-answer'],
  ['s5-25', 'agent-silent'],
  ['s3-28', 'agent-silent'],
];
const kinds = new Map(planted);
const hasNoPower: ReadonlySet<string> = new Set(['switched-off', 'outlet-off', 'outlet-fault']);

type Lab = Awaited<ReturnType<typeof startOutageLab>>;

/** What the power-cycle daemon and the switches say about all machines. */
function plant({ world }: Lab): void {
  const at = '2026-11-20T01:00:00Z';
  const off = { state: 'off' as const, switchedOff: undefined };
  const outlets: Partial<Record<Evidence['kind'], Partial<MachinePower['outlets'][number]>>> = {
    'switched-off': { ...off, switchedOff: { by: 'ann', at, reason: 'a new fan' } },
    'outlet-off': off,
    'outlet-fault': { fault: 'Overload' },
  };
  for (const n of shelves) world.links.set(`switch-${n}`, new Map());
  for (const { name, uplink } of rack.machines.values()) {
    const { device: controller = '', outlet: port = '' } = uplink ?? {};
    const kind = kinds.get(name);
    const own = { outlet: `${controller}/${port}`, controller, feeds: [name], stuckOff: false };
    const outlet = { ...own, state: 'on' as const, ...(kind && outlets[kind]) };
    world.power.set(name, { name, kind: 'machine', outlets: [outlet], controllers: [] });
    world.links.get(controller)?.set(port, kind !== 'no-link' && !hasNoPower.has(kind ?? ''));
    if (kind === 'agent-silent') world.why.set(name, 'connect ECONNREFUSED 10.0.3.1:11001');
  }
}

it.each([
  ['', false],
  [', also if machine-state restarts in the middle', true],
])(
  'finds exactly the twelve of 300 that stay away, with the right evidence%s',
  async (_, restarts) => {
    const lab = await startOutageLab(rack);
    plant(lab);
    lab.pass(10);
    lab.fall(names);
    lab.pass(120);
    if (restarts) {
      await lab.flush();
      await lab.restart(20_000);
    }
    lab.pass(60);
    // Machines boot one after the other, and one of them much later.
    const returning = names.filter((name) => !kinds.has(name));
    for (let at = 0; at < returning.length; at += 24) {
      lab.answer(returning.slice(at, at + 24));
      lab.pass(5);
    }
    // Within a minute of the last return.
    lab.pass(55);

    const report = await lab.report('all');

    expect(report.machines).toHaveLength(300);
    expect(new Map(report.away.map(({ name, evidence }) => [name, evidence[0]?.kind]))).toEqual(
      kinds,
    );
    const walk = Map.groupBy(report.away, ({ shelf }) => shelf);
    expect(
      [...walk].map(([shelf, machines]) => [shelf, ...machines.map(({ place }) => place)]),
    ).toEqual([
      ['shelf1', 7, 8],
      ['shelf2', 20, 30],
      ['shelf3', 12, 28],
      ['shelf4', 2, 29],
      ['shelf5', 1, 25],
      ['shelf6', 9, 30],
    ]);
    // One mains failure is one incident.
    expect((await lab.list()).incidents).toHaveLength(1);
    const text = incidentText(report, 'rack4').join('\n');
    expect(text).toMatch(/288 of 300 came back, 12 did not: /);
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  },
);
