/** Orders that only a machine reports: a task is root there, and writes what it likes. */
import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Order } from '@skolo/api';
import { describe, expect, it } from 'vitest';
import { type FakeAgent, startFakeAgent } from '../testing/fake-agent.ts';
import { type Lab, startLab } from '../testing/lab.ts';

const reason = 'the fan is broken';
const deps = { delivery: { firstMs: 10, maxMs: 100 } };

function reported(id: string, more: Partial<Order> = {}): Order {
  return { id, kind: 'quarantine', by: 'adm', reason, since: '2020-01-01T00:00:00Z', ...more };
}

function ordersOf(lab: Lab, name = 'rpi-1') {
  return async () => (await lab.machine(name)).orders;
}

/** Machines that have answered, with a journal that knows it. */
async function startRack(count = 1) {
  const names = Array.from({ length: count }, (_, at) => `rpi-${at + 1}`);
  const started = names.map(async (name) => [name, await startFakeAgent(name)] as const);
  const agents: Record<string, FakeAgent> = Object.fromEntries(await Promise.all(started));
  const lab = await startLab({ agents, deps });
  for (const name of names) {
    await expect.poll(() => lab.machine(name)).toMatchObject({ condition: 'ok' });
  }
  const of = (name: string) => {
    const agent = agents[name];
    if (agent === undefined) throw new Error(`no machine ${name}`);
    return agent;
  };
  return { agents, lab, of, first: of('rpi-1') };
}

/** With the mark that is next to it. */
async function loseJournal(lab: Lab): Promise<void> {
  await lab.stop();
  await rm(join(lab.stateDir, 'journal'), { recursive: true });
  await rm(join(lab.stateDir, 'journal.mark'));
}

async function audited(lab: Lab): Promise<string> {
  const month = new Date().toISOString().slice(0, 7);
  return await readFile(join(lab.stateDir, 'audit', `${month}.jsonl`), 'utf8').catch(() => '');
}

describe('orders that a machine reports', () => {
  it('have no effect, whoever is said to have placed them, and are shown', async () => {
    const { lab, first } = await startRack();

    for (let round = 0; round < 2; round += 1) {
      const ids = Array.from({ length: 20 }, (_, at) => `${round}-${at}`);
      first.set({ orders: ids.map((id) => reported(id)) });
      await expect.poll(() => first.status.orders).toEqual([]);
      expect((await lab.machine('rpi-1')).orders).toEqual([]);
    }
    // One that does not do what it is told.
    first.answerAs((_request, response) => {
      const status = { ...first.status, orders: [reported('x', { kind: 'maintenance' })] };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(status));
    });

    await expect
      .poll(() => lab.machine('rpi-1'))
      .toMatchObject({
        sentence:
          'waiting for a task; the agent reports a maintenance order by adm, but the journal does not contain it',
        orders: [],
      });
    expect(await lab.entries('order')).toEqual([]);
    expect(await audited(lab)).toBe('');
  });

  it('do not end those that people have placed', async () => {
    const { lab, first } = await startRack();
    await lab.client.order({ body: { machines: ['rpi-1'], kind: 'quarantine', reason } });
    await expect.poll(() => first.status.orders).toHaveLength(1);
    const [placed] = first.status.orders ?? [];
    const until = new Date(Date.now() + 1000).toISOString();

    first.set({ orders: [] });
    await expect.poll(() => first.status.orders).toHaveLength(1);
    first.set({ orders: [reported(placed?.id ?? '', { kind: 'maintenance', until })] });

    await expect(ordersOf(lab)()).resolves.toMatchObject([{ id: placed?.id, by: 'ann' }]);
    expect((await ordersOf(lab)())[0]).not.toHaveProperty('until');
  });
});

describe('after the journal was lost, a quarantine that only the machine knows', () => {
  it('is its own, without an author and without an end, and is audited', async () => {
    const { agents, lab, first } = await startRack();
    await loseJournal(lab);
    const until = new Date(Date.now() + 3_600_000).toISOString();
    first.set({ orders: [reported('kept', { until }), reported('no', { kind: 'maintenance' })] });

    const later = await startLab({ agents, deps, previous: lab });

    await expect.poll(ordersOf(later)).toMatchObject([{ deliveredAt: expect.any(String) }]);
    const [order] = await ordersOf(later)();
    expect(order).toMatchObject({
      kind: 'quarantine',
      reason: `reported by the machine as ordered by adm at 2020-01-01T00:00:00Z; the new journal does not contain this order; the reason given was: ${reason}`,
    });
    expect(Object.keys(order ?? {})).not.toContain('by');
    expect(Object.keys(order ?? {})).not.toContain('until');
    expect(Date.parse(order?.since ?? '')).toBeGreaterThan(Date.now() - 3_600_000);
    expect(first.status.orders).toMatchObject([{ id: order?.id, by: 'the machine itself' }]);
    const entries = await later.entries('order');
    expect(entries).toMatchObject([{ order: 'quarantine', reason: order?.reason }]);
    await expect.poll(() => audited(later)).toContain('"who":"rpi-1","what":"reportedOrder"');
    await later.client.endOrder({ params: { id: order?.id ?? '' } });
    await expect.poll(() => first.status.orders).toEqual([]);
  });

  it('is that of its first answer, also after a restart', async () => {
    const { agents, lab, first } = await startRack();
    await loseJournal(lab);
    const second = await startLab({ agents, deps, previous: lab });
    await expect.poll(() => second.machine('rpi-1')).toMatchObject({ condition: 'ok' });
    first.set({ orders: [reported('late')] });
    await expect.poll(() => first.status.orders).toEqual([]);
    await second.stop();
    first.set({ orders: [reported('later')] });

    const third = await startLab({ agents, deps, previous: lab });

    await expect.poll(() => first.status.orders).toEqual([]);
    expect(await ordersOf(third)()).toEqual([]);
  });

  it('is kept for ten machines; the agents of more keep it until there is room, which is an alert', async () => {
    const { agents, lab, of } = await startRack(12);
    await loseJournal(lab);
    const all = Object.values(agents);
    for (const [at, agent] of all.entries()) agent.set({ orders: [reported(`order-${at}`)] });

    const later = await startLab({ agents, deps, previous: lab });

    const metric = 'skolo_machines_reported_quarantines_waiting';
    await expect.poll(() => later.metrics()).toContain(`${metric} 2`);
    const { machines } = await later.client.machines();
    const kept = machines.filter(({ orders }) => orders.length > 0);
    const others = machines.filter(({ orders }) => orders.length === 0);
    expect(kept).toHaveLength(10);
    for (const { name } of others) {
      expect(of(name).status.orders).toMatchObject([{ by: 'adm' }]);
      // What a person orders reaches it all the same, and does not end what its agent has.
      const body = { machines: [name], kind: 'maintenance' as const, reason: 'a look' };
      await later.client.order({ body });
      await expect.poll(() => of(name).status.orders).toMatchObject([{ by: 'ann' }, { by: 'adm' }]);
    }
    await later.client.endOrder({ params: { id: kept[0]?.orders[0]?.id ?? '' } });
    await expect.poll(() => later.metrics()).toContain(`${metric} 1`);
  });
});

it('after the journal was restored from a copy, the reason says of when it is', async () => {
  const { agents, lab, first } = await startRack();
  await lab.client.addNote({ body: { machines: ['rpi-1'], text: 'the last record' } });
  const [newest] = await lab.entries('note');
  const [journal, copy] = [join(lab.stateDir, 'journal'), join(lab.stateDir, 'copy')];
  // As the archive of the jumphost has it: without the mark.
  await cp(journal, copy, { recursive: true });
  await lab.client.order({ body: { machines: ['rpi-1'], kind: 'quarantine', reason } });
  await expect.poll(() => first.status.orders).toHaveLength(1);
  await loseJournal(lab);
  await cp(copy, journal, { recursive: true });

  const later = await startLab({ agents, deps, previous: lab });

  await expect.poll(ordersOf(later)).toMatchObject([
    {
      reason: expect.stringContaining(`the journal, whose newest entry is from ${newest?.at},`),
    },
  ]);
  expect(await ordersOf(later)()).toMatchObject([
    { reason: expect.stringContaining('as ordered by ann at ') },
  ]);
});
