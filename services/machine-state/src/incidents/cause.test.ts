/** A cause is data from its origin to its readers: names of equipment are never read from a text, and agents' words are no equipment. */

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Cause } from '@skolo/api';
import { equipmentCause, sharedCause } from '@skolo/api/cause';
import { tempDir } from '@skolo/base/testing';
import { parseRack } from '@skolo/rack';
import { expect, it } from 'vitest';
import { openDatabase } from '../history/database.ts';
import { HistoryJobs } from '../history/jobs.ts';
import { startOutageLab } from '../testing/outage-lab.ts';

/** Three phones' hosts without wiring beside a switch at a PDU of its own. */
const rack = parseRack(
  `rack: rack4
network: { subnet: 192.168.1.0/24 }
jumphost: { name: jumphost, address: 192.168.1.8 }
equipment:
  switch-1: { model: edgeswitch, address: 192.168.1.11, power: pdu-1/1 }
  pdu-1: { model: apc-rpdu2, address: 192.168.1.30 }
machines:
  a-[1-4]: { kind: rpi, address: 192.168.1.10[1-4], uplink: "switch-1/[1-4]", power: "switch-1/[1-4]" }
  d-[1-3]: { kind: rpi, address: 192.168.1.13[1-3], devices: [{ name: phone, kind: android, serial: A }] }
  e-[1-9]: { kind: rpi, address: 192.168.1.14[1-9] }
`,
  { file: 'rack.yaml' },
);
const a = ['a-1', 'a-2', 'a-3', 'a-4'];
const d = ['d-1', 'd-2', 'd-3'];

async function started(model: string) {
  const lab = await startOutageLab(rack);
  for (const name of d) {
    const dimensions = { device_type: [model] };
    lab.tell(name, { devices: [{ name: 'phone', state: 'present', dimensions }] });
  }
  lab.pass(5);
  return lab;
}

it.each(['switch-1', 'pdu-1', 'switch-1 or pdu-1', 'pdu-1+switch-1'])(
  'keeps the incident of a phone model that is called %s apart from that of the equipment',
  async (model) => {
    const lab = await started(model);
    lab.fall([...a, ...d]);
    lab.pass(90);

    const { incidents } = await lab.list();

    const machines = incidents.map((incident) => incident.machines.map(({ name }) => name));
    expect(machines.toSorted()).toEqual([a, d]);
    const named = await lab.report('switch-1');
    expect(named.machines.map(({ name }) => name)).toEqual(a);
    expect(named.seenBefore).toBeUndefined();
  },
);

it('finds an incident by each piece of equipment that may be its cause', async () => {
  const lab = await started('oriole');
  lab.fall(a);
  lab.pass(90);
  const [incident] = (await lab.list()).incidents;

  expect(incident?.cause).toEqual(equipmentCause(['switch-1', 'pdu-1']));
  for (const name of ['switch-1', 'pdu-1', 'pdu-1+switch-1', 'a-3']) {
    expect(await lab.report(name)).toMatchObject({ id: incident?.id });
  }
});

/** Rows as version 0.2.0 wrote them. */
const rows: readonly [string, string, string[], Cause | undefined][] = [
  ['', '', [], undefined],
  ['switch-3', 'switch-3 is down: none of the 4 machines …', [], equipmentCause(['switch-3'])],
  [
    'pdu-1, pdu-2 or switch-3',
    'none of the 4 machines behind pdu-1, pdu-2 or switch-3 responds',
    [],
    equipmentCause(['pdu-1', 'pdu-2', 'switch-3']),
  ],
  [
    'switch-1 or pdu-2',
    '3 of 4 machines of model switch-1 or pdu-2 are silent, 0 of 9 others',
    ['model switch-1 or pdu-2'],
    sharedCause('model', 'switch-1 or pdu-2'),
  ],
  [
    '1.2, beta',
    '3 of 4 machines with agent 1.2, beta are silent, 0 of 9 others',
    [],
    sharedCause('version', '1.2, beta'),
  ],
  [
    'shelf2',
    '3 of 4 machines on shelf2 are silent, 0 of 9 others',
    ['shelf shelf2'],
    sharedCause('shelf', 'shelf2'),
  ],
];

it.each(rows)('reads the cause %j that version 0.2.0 stored', async (what, text, traits, cause) => {
  const file = join(await tempDir(), 'history.sqlite');
  openDatabase(file).close();
  const old = new DatabaseSync(file);
  const silence = {
    ...{ id: 'i-1', machine: 'a-1', incident: 'i-1', at: 1000, traits, lost: [] },
    causes: [{ at: 2000, what, text }],
  };
  old
    .prepare('INSERT INTO silences VALUES (?, ?, ?, ?)')
    .run('i-1', 1000, null, JSON.stringify(silence));
  old.close();

  const jobs = new HistoryJobs(openDatabase(file));
  const { silences } = jobs.silences({ endedFrom: 0 });
  jobs.close();

  expect(silences.map(({ causes }) => causes)).toEqual([
    [{ at: 2000, why: text, ...(cause && { cause }) }],
  ]);
});
