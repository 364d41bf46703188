/** The disk of the state directory hangs, as one that fails does: whatever writes to it waits in the kernel. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { mountFreezable, tempDir } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { startFakeAgent } from './testing/fake-agent.ts';
import { startLab } from './testing/lab.ts';

/** More than there are threads for files. */
const many = Array.from({ length: 8 }, (_, n) => `note ${n}`);

it('delays what must be on the disk, and nothing else', async (context) => {
  const dir = await tempDir();
  await mkdir(join(dir, 'state'));
  const disk = await mountFreezable(context, join(dir, 'state'));
  const agent = await startFakeAgent('rpi-1');
  const agents = { 'rpi-1': agent };
  const lab = await startLab({ previous: { dir }, agents, deps: { writeEveryMs: 50 } });
  const machines = ['rpi-1'];
  await lab.client.order({ body: { machines, kind: 'maintenance', reason: 'before' } });
  await expect.poll(() => agent.status.orders?.length).toBe(1);

  await disk.freeze();
  const notes = many.map((text) => lab.client.addNote({ body: { machines, text } }));
  for (const id of ['a', 'b']) {
    agent.set({ task: { running: true, id, since: new Date().toISOString() } });
    await expect.poll(async () => (await lab.machine('rpi-1')).task?.id).toBe(id);
  }
  await expect(lab.entries()).rejects.toThrow('the disk has not responded for 5 s');
  // At once, from now on.
  await expect(lab.entries()).rejects.toThrow('the disk has not responded for 5 s');
  agent.set({ task: { running: false } });
  await expect.poll(() => lab.metrics()).toMatch(/^skolo_machines_history_pending_entries [1-9]/m);
  expect(await lab.metrics()).toMatch(/^skolo_machines_history_open 0$/m);
  await disk.thaw();

  await Promise.all(notes);
  await expect.poll(async () => (await lab.entries('task')).length).toBe(2);
  await expect.poll(() => lab.metrics()).toMatch(/^skolo_machines_history_pending_entries 0$/m);
});
