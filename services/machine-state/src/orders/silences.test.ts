import { lacks, peer } from '@skolo/simulators';
import { alertmanager, type Program, startProgram } from '@skolo/simulators/prometheus';
import { describe, expect, it } from 'vitest';
import { type Lab, startLab } from '../testing/lab.ts';
import { type Alertmanager, alertmanagerClient, type Silence } from './alertmanager.ts';

interface Rig {
  program: Program;
  client: Alertmanager;
  /** The machine-state of a rack, whose machine is rpi-1. */
  rack(name: string, previous?: Lab): Promise<Lab>;
  /** Those that have not ended. */
  silences(): Promise<Silence[]>;
  comments(): Promise<string[]>;
}

async function startRig(): Promise<Rig> {
  const config = 'route: { receiver: none }\nreceivers: [{ name: none }]\n';
  const program = await startProgram(peer('alertmanager') ?? '', alertmanager(config));
  const client = alertmanagerClient(program.url);
  const silences = async () =>
    (await client.silences()).filter(({ status }) => status.state !== 'expired');
  return {
    program,
    client,
    rack: (name, previous) =>
      startLab({
        name,
        agents: { 'rpi-1': undefined },
        settings: `{ alertmanager: "${program.url}" }`,
        deps: { silencesEveryMs: 50 },
        ...(previous && { previous }),
      }),
    silences,
    comments: async () => (await silences()).map(({ comment }) => comment).toSorted(),
  };
}

/** Returns the ID of the order. */
async function maintain({ client }: Lab, reason = 'a new fan'): Promise<string> {
  const { orders } = await client.order({
    body: { machines: ['rpi-1'], kind: 'maintenance', reason },
  });
  return orders[0]?.id ?? '';
}

/** Several rounds of every rack. */
async function later(rig: Rig, lab: Lab): Promise<void> {
  for (let round = 0; round < 5; round += 1) {
    const id = await maintain(lab, 'another round');
    const isThere = async () => (await rig.comments()).some((each) => each.includes(id));
    await expect.poll(isThere).toBe(true);
    await lab.client.endOrder({ params: { id } });
    await expect.poll(isThere).toBe(false);
  }
}

const of = (id: string, reason = 'a new fan') =>
  `order ${id}: maintenance of rpi-1 by ann: ${reason}`;

const machine = { name: 'machine', value: 'rpi-1', isRegex: false, isEqual: true };

describe.skipIf(lacks('alertmanager'))('silences of a real Alertmanager', () => {
  it('begin and end with a maintenance, also after a restart', async () => {
    const rig = await startRig();
    const lab = await rig.rack('rack4');

    const id = await maintain(lab);

    await expect.poll(rig.comments).toEqual([of(id)]);
    expect(await rig.silences()).toMatchObject([
      {
        createdBy: 'skolo machine-state of rack4',
        matchers: [machine, { name: 'rack', value: 'rack4|', isRegex: true, isEqual: true }],
      },
    ]);
    await lab.stop();
    const again = await rig.rack('rack4', lab);
    await again.client.endOrder({ params: { id } });
    await expect.poll(rig.comments).toEqual([]);
    expect(await again.metrics()).not.toContain('skolo_degraded{what="alertmanager"}');
  });

  it('are those of one rack, although another one has the same Alertmanager and a machine of that name', async () => {
    const rig = await startRig();
    const [one, other] = [await rig.rack('rack4'), await rig.rack('rack40')];
    const [id, otherId] = [await maintain(one), await maintain(other)];
    await expect.poll(rig.comments).toEqual([of(id), of(otherId)].toSorted());
    const before = await rig.silences();

    await later(rig, one);
    await later(rig, other);

    const ids = async () => (await rig.silences()).map(({ id }) => id).toSorted();
    expect(await ids()).toEqual(before.map(({ id }) => id).toSorted());
    await one.client.endOrder({ params: { id } });
    await expect.poll(rig.comments).toEqual([of(otherId)]);
    await later(rig, one);
    expect(await rig.comments()).toEqual([of(otherId)]);
  });

  it('mute alerts of the rack, and alerts that name no rack, of this machine', async () => {
    const rig = await startRig();
    const lab = await rig.rack('rack4');
    const id = await maintain(lab);
    await expect.poll(rig.comments).toEqual([of(id)]);
    const alerts = [
      { name: 'own', machine: 'rpi-1', rack: 'rack4' },
      { name: 'unnamed', machine: 'rpi-1' },
      { name: 'longer', machine: 'rpi-1', rack: 'rack40' },
      { name: 'other', machine: 'rpi-1', rack: 'rack7' },
      { name: 'neighbour', machine: 'rpi-11', rack: 'rack4' },
    ];

    const body = JSON.stringify(alerts.map((labels) => ({ labels })));
    const headers = { 'content-type': 'application/json' };
    const url = `${rig.program.url}/api/v2/alerts`;
    await fetch(url, { method: 'POST', headers, body });

    async function muted(): Promise<string[]> {
      const response = await fetch(`${url}?active=false&silenced=true`);
      const listed: { labels: { name: string } }[] = JSON.parse(await response.text());
      return listed.map(({ labels }) => labels.name).toSorted();
    }
    await expect.poll(muted).toEqual(['own', 'unnamed']);
  });

  it('of an earlier version are those of the rack whose order they name', async () => {
    const rig = await startRig();
    const before = await rig.rack('rack4');
    const [active, ended] = [await maintain(before, 'a new card'), await maintain(before)];
    await expect.poll(rig.comments).toHaveLength(2);
    await before.stop();
    for (const { id } of await rig.silences()) await rig.client.endSilence({ params: { id } });
    const write = (comment: string, createdBy = 'skolo machine-state') =>
      rig.client.setSilence({
        body: {
          matchers: [machine],
          startsAt: new Date().toISOString(),
          endsAt: new Date(Date.now() + 86_400_000).toISOString(),
          createdBy,
          comment,
        },
      });
    await write(of(active, 'a new card'));
    await write(of(ended));
    const foreign = of('6f1b3c58-8c4e-4a0e-9b8b-0a6d3a7f2c11');
    await write(foreign);
    // A rack that had this name before, and has another one now.
    const former = of('0d2c9a41-50f7-4c55-9d5e-3b1f8e7a6c20');
    await write(former, 'skolo machine-state of rack4');
    await write(of(active, 'by hand'), 'ann');

    const lab = await rig.rack('rack4', before);
    await lab.client.endOrder({ params: { id: ended } });

    const left = [foreign, former, of(active, 'by hand')];
    await expect.poll(rig.comments).toEqual([...left, of(active, 'a new card')].toSorted());
    const own = async () =>
      (await rig.silences()).filter(
        ({ createdBy, comment }) =>
          createdBy === 'skolo machine-state of rack4' && comment !== former,
      );
    await expect.poll(own).toMatchObject([{ matchers: [machine, { value: 'rack4|' }] }]);
    await lab.client.endOrder({ params: { id: active } });
    await expect.poll(rig.comments).toEqual(left.toSorted());
  });

  it('end with their order, although the rack has another name since', async () => {
    const rig = await startRig();
    const before = await rig.rack('rack4');
    const id = await maintain(before);
    await expect.poll(rig.comments).toEqual([of(id)]);
    await before.stop();

    const lab = await rig.rack('berlin-4', before);

    const values = async () =>
      (await rig.silences()).flatMap(({ matchers }) => matchers.map(({ value }) => value));
    await expect.poll(values).toEqual(['rpi-1', 'berlin-4|']);
    await lab.client.endOrder({ params: { id } });
    await expect.poll(rig.comments).toEqual([]);
  });
});

it('that cannot be made are reported', async () => {
  const lab = await startLab({
    agents: { 'rpi-1': undefined },
    settings: '{ alertmanager: "http://127.0.0.1:2" }',
  });
  expect(await lab.metrics()).not.toContain('what="alertmanager"');

  await maintain(lab);

  await expect.poll(() => lab.metrics()).toContain('skolo_degraded{what="alertmanager"} 1');
});
