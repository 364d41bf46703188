/** What people do to a machine through machine-state: orders, and a look at the screen of its phone. */
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentStatus, Order } from '@skolo/api/swarming-client';
import { campaign, isLong, seed, seeded } from '@skolo/durable/campaign';
import { peer, screenshot } from '@skolo/simulators';
import { afterEach, describe, expect, it, type TestContext } from 'vitest';
import type { AgentProcess } from './testing/agent-process.ts';
import { Lab, machine } from './testing/lab.ts';

let lab: Lab | undefined;
afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

async function open({ skip }: Pick<TestContext, 'skip'>): Promise<Lab> {
  if (!peer('python3') || !peer('adb')) skip('python3 or adb is not installed');
  lab = await Lab.open({ phones: [{ serial: '0A1B2C3D', model: 'pixel-5', rebootMs: 300 }] });
  return lab;
}

function order(kind: Order['kind'] = 'quarantine'): Order {
  const since = new Date().toISOString();
  return { id: randomUUID(), kind, by: 'ann', reason: 'smells burnt', since };
}

/** Each takes some seconds. */
const kills = Math.ceil(campaign() / 4);

async function isWell(agent: AgentProcess): Promise<void> {
  await expect.poll(async () => (await agent.status()).health?.verdict).toBe('ok');
}

/** The first status after a revision that is so. Bot and phone may change meanwhile, too. */
async function changedTo(
  agent: AgentProcess,
  revision: string | undefined,
  isSo: (status: AgentStatus) => boolean,
): Promise<AgentStatus> {
  const client = agent.client();
  for (let after = revision; ; ) {
    const status = await client.status({ query: { after, waitSeconds: 60 } });
    if (isSo(status)) return status;
    after = status.revision;
  }
}

describe('orders', () => {
  it('keep tasks away at once, over kill -9, and until their owner ends them', async (context) => {
    const its = await open(context);
    const { swarming } = its;
    const first = await its.startAgent();
    await isWell(first);
    const { revision = '' } = await first.status();
    const changed = changedTo(first, revision, ({ orders }) => (orders?.length ?? 0) > 0);
    const orders = [order()];

    const health = await first.client().setOrders({ body: { orders } });

    const reasons = [{ code: 'forced', text: 'quarantined by ann: smells burnt' }];
    expect(health).toMatchObject({ verdict: 'quarantined', reasons });
    expect(await changed).toMatchObject({ orders, health: { verdict: 'quarantined', reasons } });
    expect(await first.hook('get_state', {})).toMatchObject({ quarantined: reasons[0]?.text });

    await first.end('SIGKILL');
    const task = swarming.addTask({ python: 'pass' });
    const agent = await its.startAgent();
    expect(await agent.status()).toMatchObject({ orders });
    await expect
      .poll(async () => (await agent.status()).health)
      .toMatchObject({ verdict: 'quarantined', reasons });
    const cleared = await agent.client().clearQuarantine({ body: { why: 'to see' } });
    expect(cleared).toMatchObject({ verdict: 'quarantined', reasons });
    await expect.poll(() => swarming.bots.get(machine)?.quarantined).toBe(reasons[0]?.text);
    expect(swarming.task(task).state).toBe('pending');

    await agent.client().setOrders({ body: { orders: [] } });
    await swarming.until(() => swarming.task(task).state === 'completed');
  });

  it.runIf(isLong)(
    `that were acknowledged are there after ${kills} kills, SKOLO_SEED=${seed}`,
    async (context) => {
      const its = await open(context);
      const random = seeded(seed);
      let agent = await its.startAgent();
      let sent: Order[][] = [[]];
      for (let kill = 0; kill < kills; kill += 1) {
        const client = agent.client();
        const replacing = (async () => {
          for (;;) {
            const orders = Array.from({ length: 1 + Math.floor(random() * 20) }, () => order());
            sent.push(orders);
            await client.setOrders({ body: { orders } });
            sent = [orders];
          }
        })().catch(() => undefined);
        // The moment of the kill is what the test is about.
        await sleep(random() * 200);
        await agent.end('SIGKILL');
        await replacing;
        agent = await its.startAgent();
        const { orders } = await agent.status();
        expect(sent).toContainEqual(orders);
        sent = [orders ?? []];
      }
    },
    1_800_000,
  );
});

describe('the screen of a phone', () => {
  it('is the last evidence, or a fresh one, which is not stored', async (context) => {
    const its = await open(context);
    const agent = await its.startAgent();
    await isWell(agent);
    const screen = (body: { fresh?: boolean; force?: boolean; device?: string }) =>
      agent.client().screen({ body });

    await expect(screen({})).rejects.toThrow('device: no screenshot is kept as evidence');
    await expect(screen({ device: '../device' })).rejects.toThrow('the machine has: device');
    const { bytes, headers } = await screen({ fresh: true });
    expect(Buffer.from(bytes)).toEqual(screenshot);
    expect(headers.get('content-type')).toBe('image/png');
    expect(Date.parse(headers.get('last-modified') ?? '')).toBeGreaterThan(Date.now() - 60_000);

    const task = its.swarming.addTask({ python: 'import time; time.sleep(600)' });
    await expect.poll(async () => (await agent.status()).task.running).toBe(true);
    await expect(screen({ fresh: true })).rejects.toMatchObject({ problem: { status: 409 } });
    expect(Buffer.from((await screen({ fresh: true, force: true })).bytes)).toEqual(screenshot);
    expect(its.swarming.task(task).state).toBe('running');

    its.adb.phone().faults.add('garbage');
    await expect(screen({ fresh: true, force: true })).rejects.toThrow('is not PNG');
    its.adb.phone().unplug();
    await expect(screen({ fresh: true, force: true })).rejects.toThrow('not attached');
    const left = (await readdir('/dev/shm')).filter((name) => name.startsWith('skolo-screen-'));
    expect(left).toEqual([]);
  });
});
