/** `kill -9` at random moments, while people order and note: what was acknowledged is there, and reaches the agent. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, machineStateApi } from '@skolo/api';
import { countRounds, seeded } from '@skolo/base/durable/fault-injection';
import { testSeed } from '@skolo/base/testing';
import { expect, it, vi } from 'vitest';
import { startFakeAgent } from './testing/fake-agent.ts';
import { startLab } from './testing/lab.ts';
import { startProgram } from './testing/program.ts';

const kills = countRounds(1, 30);
const longestLifeMs = 300;

it(`loses no order and no note that was acknowledged`, async () => {
  const random = seeded(testSeed());
  const agent = await startFakeAgent('rpi-1');
  // It makes the folder with rack.yaml and a token.
  const lab = await startLab({ agents: { 'rpi-1': agent } });
  await lab.stop();
  const notes: string[] = [];
  const orders = new Set<string>();

  for (let kill = 0; kill < kills; kill += 1) {
    const program = await startProgram(lab.dir);
    const client = lab.clientOf(program.url);
    const dying = sleep(random() * longestLifeMs).then(() => program.end('SIGKILL'));
    await actUntilDead(client, { notes, orders }, kill);
    await dying;
  }

  const program = await startProgram(lab.dir);
  const client = lab.clientOf(program.url);
  const params = { name: 'rpi-1' };
  const query = { kind: 'note' as const, limit: 10_000 };
  // A service that starts on a busy computer rejects readers for a moment.
  const { entries } = await vi.waitFor(() => client.history({ params, query }));
  const kept = new Set(entries.flatMap((entry) => (entry.kind === 'note' ? [entry.text] : [])));
  expect(notes.filter((text) => !kept.has(text))).toEqual([]);
  const found = await vi.waitFor(() => client.machine({ params }));
  const active = new Set(found.orders.map(({ id }) => id));
  expect([...orders].filter((id) => !active.has(id))).toEqual([]);
  await expect.poll(() => new Set(agent.status.orders?.map(({ id }) => id))).toEqual(active);
});

/** One order at a time is in effect. What was not answered may have happened, or not. */
async function actUntilDead(
  client: Client<typeof machineStateApi>,
  done: { notes: string[]; orders: Set<string> },
  kill: number,
): Promise<void> {
  const machines = ['rpi-1'];
  const found = await client.machine({ params: { name: 'rpi-1' } }).catch(() => undefined);
  for (const { id } of found?.orders ?? []) {
    // Of an answer that was lost.
    if (!done.orders.has(id)) await client.endOrder({ params: { id } }).catch(() => undefined);
  }
  for (let i = 0; ; i += 1) {
    const text = `note ${kill}.${i}`;
    try {
      await client.addNote({ body: { machines, text } });
      done.notes.push(text);
      for (const id of done.orders) {
        done.orders.delete(id);
        await client.endOrder({ params: { id } });
      }
      const { orders } = await client.order({
        body: { machines, kind: 'quarantine', reason: text },
      });
      for (const { id } of orders) done.orders.add(id);
    } catch {
      return;
    }
  }
}
