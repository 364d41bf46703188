/** The disk of the state directory hangs, as one that fails does: whatever writes to it waits in the kernel. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { mountFreezable, tempDir } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { startLab } from './testing/lab.ts';

const alert = (name: string) => ({
  labels: { alertname: 'Hangs', name },
  endsAt: '2099-01-01T00:00:00Z',
});
const why = 'the disk has not responded for 5 s; check it with dmesg';

it('is reported everywhere, keeps no sender waiting, and loses nothing', async (context) => {
  const dir = await tempDir();
  await mkdir(join(dir, 'state'));
  const disk = await mountFreezable(context, join(dir, 'state'));
  const lab = await startLab({ dir, settings: 'heartbeatSeconds: 1' });
  expect((await lab.post(alert('before'))).status).toBe(200);
  const names = () => lab.arrived().map(({ body }) => body.name);
  await expect.poll(names).toEqual(['before']);

  await disk.freeze();
  const waiting = lab.post(alert('waiting'));
  await expect.poll(async () => (await lab.readyz()).status).toBe(503);
  expect((await lab.readyz()).body).toContain(why);
  expect((await lab.client.status({})).spool.rejecting).toBe(why);
  expect(await lab.metrics()).toMatch(/^skolo_alerts_rejecting 1$/m);
  await expect.poll(() => lab.heartbeats().at(-1)?.body.why).toContain(why);
  const body = JSON.stringify([alert('later')]);
  const rejected = await fetch(`${lab.url}/api/v2/alerts`, { method: 'POST', body });
  expect([rejected.status, rejected.headers.get('retry-after')]).toEqual([503, '15']);
  expect(await rejected.text()).toContain(why);
  await disk.thaw();

  expect((await waiting).status).toBe(200);
  await expect.poll(async () => (await lab.readyz()).status).toBe(200);
  await expect.poll(async () => (await lab.post(alert('later'))).status).toBe(200);
  await expect.poll(names).toEqual(['before', 'waiting', 'later']);
});
