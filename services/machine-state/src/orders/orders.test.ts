import { newAgentKey } from '@skolo/base/secrets';
import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it } from 'vitest';
import { okHealth, startFakeAgent } from '../testing/fake-agent.ts';
import { type Lab, servicesEvery, startLab } from '../testing/lab.ts';
import { startServices } from '../testing/services.ts';

const reason = 'the fan is broken';

async function rebootWithKey({ client }: Lab): Promise<void> {
  const request = { params: { name: 'rpi-1' }, body: { reason } };
  await client.reboot({ ...request, headers: { 'idempotency-key': 'k1' } });
}

/** With the machine `rpi-1`, which has answered if it may act. */
async function start(options: Parameters<typeof startLab>[0] = {}) {
  const agent = await startFakeAgent('rpi-1', { status: { bootId: 'before' } });
  const agents = { 'rpi-1': agent, ...options.agents };
  const lab = await startLab({ ...options, agents });
  await expect.poll(() => lab.machine('rpi-1')).toMatchObject({ bootId: 'before' });
  return { agent, agents, lab };
}

describe('an order', () => {
  it('reaches the agent, is in the history, and ends there', async () => {
    const { agent, lab } = await start();

    const { orders } = await lab.client.order({
      body: { machines: ['rpi-1'], kind: 'quarantine', reason },
    });

    expect(orders).toMatchObject([{ machine: 'rpi-1', by: 'ann', kind: 'quarantine', reason }]);
    await expect
      .poll(() => lab.machine('rpi-1'))
      .toMatchObject({
        condition: 'quarantined',
        sentence: reason,
        needsAttention: reason,
        orders: [{ deliveredAt: expect.any(String) }],
      });
    const id = orders[0]?.id ?? '';
    await lab.client.endOrder({ params: { id }, query: { why: 'it was replaced' } });
    await expect.poll(() => agent.status.orders).toEqual([]);
    await expect.poll(() => lab.machine('rpi-1')).toMatchObject({ condition: 'ok', orders: [] });
    expect(await lab.entries('order,condition')).toMatchObject([
      { kind: 'condition', condition: 'ok' },
      { kind: 'condition', condition: 'quarantined', codes: ['order'] },
      { kind: 'order', order: 'quarantine', by: 'ann', endedBy: 'ann' },
      { kind: 'condition', condition: 'ok' },
    ]);
    await expect(lab.client.endOrder({ params: { id } })).rejects.toThrow('is active');
  });

  it('is one order if its request is repeated, also after a restart', async () => {
    const { agents, lab } = await start({ agents: { 'rpi-2': undefined } });
    const headers = { 'idempotency-key': 'k1' };
    const note = {
      body: { machines: ['rpi-1'], text: 'a' },
      headers: { 'idempotency-key': 'k2' },
    };
    const body = { machines: ['rpi-1'], kind: 'quarantine' as const, reason };

    const [first, again] = await Promise.all([
      lab.client.order({ body, headers }),
      lab.client.order({ body, headers }),
    ]);
    await lab.client.addNote(note);
    await lab.stop();
    const later = await startLab({ agents, previous: lab });
    const afterwards = await later.client.order({ body, headers });
    await later.client.addNote(note);

    const idsOf = ({ orders }: typeof first) => orders.map(({ id }) => id);
    expect([idsOf(again), idsOf(afterwards)]).toEqual([idsOf(first), idsOf(first)]);
    const entries = await later.entries('order,note');
    expect(entries.map(({ kind }) => kind).toSorted()).toEqual(['note', 'order']);
    await expect(
      later.client.order({ body: { ...body, machines: ['rpi-2'] }, headers }),
    ).rejects.toMatchObject({ status: 422 });
  });

  it('reboots once, although the agent that received it did not respond', async () => {
    const { agent, lab } = await start();
    const reboot = () => rebootWithKey(lab);
    agent.answerAs((request) => request.socket.destroy());

    await expect(reboot()).rejects.toThrow('may have received the request');
    agent.answerAs(undefined);
    agent.restart({ bootId: 'after' });
    await expect.poll(() => lab.machine('rpi-1')).toMatchObject({ bootId: 'after' });
    await reboot();

    expect(agent.requests.filter((each) => each === 'POST /v1/reboot')).toHaveLength(1);
  });

  it('reboots once, although the machine is not back when the answered request is sent again', async () => {
    const { agent, lab } = await start();
    const reboot = () => rebootWithKey(lab);
    await reboot();
    const before = [...agent.requests];
    agent.answerAs((request) => request.socket.destroy());

    await reboot();
    agent.answerAs(undefined);
    await reboot();

    const posted = (all: string[]) => all.filter((each) => each === 'POST /v1/reboot');
    expect(agent.calls.filter(({ name }) => name === 'reboot')).toHaveLength(1);
    expect(posted(agent.requests)).toEqual(posted(before));
  });

  it('is brought again to an agent that has lost it, or was away', async () => {
    const { agent, lab } = await start();
    await lab.client.order({ body: { machines: ['rpi-1'], kind: 'quarantine', reason } });
    await expect.poll(() => agent.status.orders).toHaveLength(1);

    agent.restart({ orders: [], health: okHealth });

    await expect.poll(() => agent.status.orders).toHaveLength(1);
  });

  it('says why an agent does not have it', async () => {
    const agent = await startFakeAgent('rpi-1', { ordersBy: newAgentKey() });
    const lab = await startLab({ agents: { 'rpi-1': agent, 'rpi-2': undefined } });
    await expect.poll(() => lab.machine('rpi-1')).toMatchObject({ condition: 'ok' });

    await lab.client.order({
      body: { machines: ['rpi-1', 'rpi-2'], kind: 'maintenance', reason, count: 2 },
    });

    await expect
      .poll(() => lab.machine('rpi-1'))
      .toMatchObject({
        orders: [{ why: expect.stringContaining('the signature is invalid') }],
        sentence: expect.stringContaining('the maintenance order by ann has not reached the agent'),
      });
    await expect
      .poll(() => lab.machine('rpi-2'))
      .toMatchObject({ orders: [{ why: expect.stringContaining('connection refused') }] });
  });

  it('names the dead switch between it and an agent', async () => {
    const { power, yaml } = await startServices();
    power.answers.controllers = {
      controllers: [
        {
          ...{ name: 'switch-1', model: 'edgeswitch', state: 'down', level: 'read', queue: 0 },
          detail: 'no route to the host',
        },
      ],
    };
    const lab = await startLab({
      agents: { 'rpi-1': undefined },
      more: () => ', uplink: switch-1/1',
      rack: `equipment:
  switch-1: { model: edgeswitch, address: 127.0.2.1 }
${yaml}`,
      deps: { services: servicesEvery(30) },
    });

    await lab.client.order({ body: { machines: ['rpi-1'], kind: 'quarantine', reason } });

    const why = 'switch-1, its switch, is down (no route to the host)';
    await expect
      .poll(() => lab.machine('rpi-1'))
      .toMatchObject({
        orders: [{ why }],
        sentence: `the agent has never responded: ${why}; the quarantine order by ann has not reached the agent: ${why}`,
      });
  });

  it('ends with its time, and survives a restart of the service until then', async () => {
    const clock = fakeClock('2026-11-20T12:00:00Z');
    const { agent, agents, lab: first } = await start({ clock });
    const until = '2026-11-20T13:00:00.000Z';
    await first.client.order({ body: { machines: ['rpi-1'], kind: 'maintenance', reason, until } });
    await expect.poll(() => agent.status.orders).toMatchObject([{ until }]);
    await first.stop();

    const lab = await startLab({ agents, clock, previous: first });
    expect(await lab.machine('rpi-1')).toMatchObject({ orders: [{ until, by: 'ann' }] });
    clock.pass(3_600_000);

    await expect.poll(() => agent.status.orders).toEqual([]);
    expect(await lab.entries('order')).toMatchObject([{ endedAt: until, endedBy: 'its expiry' }]);
  });

  it('of many machines needs their number, and names that exist', async () => {
    const lab = await startLab({ agents: { 'rpi-1': undefined, 'rpi-2': undefined } });
    const machines = ['rpi-1', 'rpi-2'];
    const body = { machines, kind: 'maintenance', reason } as const;

    await expect(lab.client.order({ body })).rejects.toThrow('`count` is not set');
    await expect(lab.client.order({ body: { ...body, count: 3 } })).rejects.toThrow(
      '2 of 2 machines are more than a tenth of the rack, and `count` is 3',
    );
    await expect(
      lab.client.order({ body: { ...body, machines: ['rpi-1', 'rpi-3'], count: 2 } }),
    ).rejects.toThrow('rack.yaml has no machine rpi-3; did you mean');
    expect((await lab.machine('rpi-1')).orders).toEqual([]);
  });
});

describe('people', () => {
  it('write notes', async () => {
    const lab = await startLab({ agents: { 'rpi-1': undefined } });

    await lab.client.addNote({ body: { machines: ['rpi-1'], text: 'new <b>fan</b>' } });

    expect(await lab.entries()).toMatchObject([
      { kind: 'note', by: 'ann', text: 'new <b>fan</b>' },
    ]);
  });
});
