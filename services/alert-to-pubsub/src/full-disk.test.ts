import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { countRounds, seeded } from '@skolo/base/durable/fault-injection';
import { mountSmall, run, tempDir, testSeed } from '@skolo/base/testing';
import { describe, expect, it, type TestContext } from 'vitest';
import { spooledIn } from './testing/damage.ts';
import { type Flipping, posted, problemsOf } from './testing/flips.ts';
import { type Lab, newPubSub, startLab, topic } from './testing/lab.ts';

const rounds = countRounds(40, 2000);
const settings = 'heartbeatSeconds: 1\nwatchdog: { withinSeconds: 86400 }';

async function smallDisk(context: TestContext, options = 'size=8m') {
  const dir = await tempDir();
  const disk = join(dir, 'state');
  await mkdir(disk);
  await mountSmall(context, disk, options);
  const filling = join(disk, 'filling');
  return {
    /** Has a state directory that is a disk of its own. */
    dir,
    async fill() {
      // What fills it already is cut off when it is written again.
      await rm(filling, { force: true });
      const { bavail, bsize } = await statfs(disk);
      await writeFile(filling, Buffer.alloc(bavail * bsize + 1)).catch(() => undefined);
    },
    /** Frees the space again. */
    empty: () => rm(filling, { force: true }),
    remount: (how: 'ro' | 'rw') =>
      run('mount', ['-o', `remount,${how}`, disk]).then(() => undefined),
  };
}

const alert = (name: string, text = '') => ({
  labels: { alertname: 'Full', name },
  annotations: { text },
  endsAt: '2099-01-01T00:00:00Z',
});
/** More than what may fit into a last page. */
const large = 'x'.repeat(9000);

const names = (lab: Lab) =>
  lab
    .arrived()
    .filter(({ kind }) => kind === 'transition')
    .map(({ body }) => body.name);
const lastHeartbeat = (lab: Lab) => lab.heartbeats().at(-1);

async function seesIt(lab: Lab, why: RegExp) {
  await expect.poll(async () => (await lab.readyz()).status).toBe(503);
  expect((await lab.readyz()).body).toMatch(why);
  await expect.poll(() => lastHeartbeat(lab)?.attributes.status).toBe('unhealthy');
  expect(lastHeartbeat(lab)?.body.why).toMatch(why);
  expect((await lab.client.status({})).spool.rejecting).toMatch(why);
  expect(await lab.metrics()).toMatch(/^skolo_alerts_rejecting 1$/m);
}

async function isWell(lab: Lab) {
  await expect.poll(async () => (await lab.readyz()).status).toBe(200);
  await expect.poll(() => lastHeartbeat(lab)?.attributes.status).toBe('healthy');
  expect(await lab.metrics()).toMatch(/^skolo_alerts_rejecting 0$/m);
}

describe('a full disk', () => {
  it('makes the service reject with 503 and report it everywhere, until there is space', async (context) => {
    const disk = await smallDisk(context);
    const lab = await startLab({ dir: disk.dir, settings });
    expect((await lab.post(alert('before', large))).status).toBe(200);
    await disk.fill();

    const rejected = await lab.post(alert('rejected', large));
    expect([rejected.status, rejected.headers.get('retry-after')]).toEqual([503, '15']);
    expect(await rejected.text()).toMatch(/no space left|disk is full/);
    const hook = { version: '4', alerts: [{ status: 'firing', ...alert('hook', large) }] };
    const body = JSON.stringify(hook);
    const webhook = await fetch(`${lab.url}/webhook`, { method: 'POST', body });
    expect([webhook.status, webhook.headers.get('retry-after')]).toEqual([503, '15']);
    await seesIt(lab, /no space left|disk is full/);
    expect((await lab.readyz()).body).toContain('"code":"disk-full"');
    expect((await lab.alerts()).map(({ labels }) => labels.name)).toEqual(['before']);
    await disk.empty();
    await isWell(lab);

    expect((await lab.post(alert('after', large))).status).toBe(200);
    await expect.poll(() => names(lab)).toEqual(['before', 'after']);
    await lab.stop();
    const kept = [...(await spooledIn(lab.stateDir)).values()];
    expect(
      kept.flatMap((message) => (message.kind === 'transition' ? message.alert.labels.name : [])),
    ).toEqual(['before', 'after']);
  });

  it('does not stop the delivery of waiting messages', async (context) => {
    const disk = await smallDisk(context);
    const lab = await startLab({ dir: disk.dir, settings });
    await lab.pubsub.stop();
    for (let i = 0; i < 50; i += 1) await lab.post(alert(`alert-${i}`, large));
    await disk.fill();
    expect((await lab.post(alert('rejected', large))).status).toBe(503);
    await lab.pubsub.start();

    await expect.poll(() => names(lab).length).toBe(50);
    expect((await lab.post(alert('rejected', large))).status).toBe(503);
    await lab.stop();
    // Its places could not be written: some may come twice.
    const again = await startLab({ previous: lab, settings });
    await expect.poll(async () => (await again.client.status({})).sinks[0]?.depth).toBe(0);
    await disk.empty();
    await expect.poll(async () => (await again.post(alert('after', large))).status).toBe(200);
    await expect.poll(() => new Set(names(again)).size).toBe(51);
    expect(names(again)).not.toContain('rejected');
  });

  it('keeps no half of a bad batch', async (context) => {
    const disk = await smallDisk(context);
    const lab = await startLab({ dir: disk.dir, settings });
    await disk.fill();

    expect((await lab.post({ labels: 17 }, alert('good', large))).status).toBe(503);
    const { deadLetters } = await lab.client.deadLetters({ query: { limit: 10 } });
    expect([deadLetters, await lab.alerts()]).toEqual([[], []]);
    await disk.empty();
    expect((await lab.post({ labels: 17 }, alert('good', large))).status).toBe(400);
    const later = await lab.client.deadLetters({ query: { limit: 10 } });
    expect(later.deadLetters).toHaveLength(1);
    await expect.poll(() => names(lab)).toEqual(['good']);
  });

  it(`that fills and empties ${rounds} times, with restarts, keeps exactly what it accepted`, async (context) => {
    const disk = await smallDisk(context);
    console.log(`alert-to-pubsub on a disk that fills and empties: ${rounds} rounds`);
    const random = seeded(testSeed());
    const pubsub = await newPubSub();
    const small = `${settings}\nspool: { maxBytes: 4194304 }`;
    let lab = await startLab({ dir: disk.dir, pubsub, settings: small });
    const flipping = Array.from({ length: 12 }, (_, i): Flipping => ({ name: `${i}`, changes: 0 }));
    for (let round = 0; round < rounds; round += 1) {
      const choice = random();
      if (choice < 0.1) await disk.fill();
      else if (choice < 0.25) await disk.empty();
      else if (choice < 0.28) {
        await lab.stop();
        lab = await startLab({ previous: lab, settings: small });
      } else {
        const posts = flipping
          .filter(() => random() < 0.2)
          .map(async (each) => {
            const next = { ...each, changes: each.changes + 1 };
            const { status } = await lab.post(...posted([next], Date.now(), random() * 20_000));
            if (status === 200) each.changes = next.changes;
            expect([200, 503]).toContain(status);
          });
        await Promise.all(posts);
      }
    }
    // Whatever the moments were: once more than a full disk takes. What is delivered meanwhile is deleted, and frees space.
    let attempts = 0;
    const postMore = async () => {
      attempts += 1;
      await disk.fill();
      return (await lab.post(alert(`more ${attempts}`, 'x'.repeat(100_000)))).status;
    };
    await expect.poll(postMore).toBe(503);
    await disk.empty();
    await isWell(lab);
    await expect.poll(async () => (await lab.client.status({})).sinks[0]?.depth).toBe(0);

    const published = pubsub.published(topic);
    const flips = published.filter(({ data }) => !data.includes('"name":"more '));
    expect(problemsOf(flips, flipping)).toEqual([]);
    expect(names(lab)).not.toContain(`more ${attempts}`);
  });
});

describe('a state directory that cannot be written', () => {
  it('is reported, and the service recovers by itself', async (context) => {
    const disk = await smallDisk(context);
    await disk.remount('ro');
    const lab = await startLab({ dir: disk.dir, settings });

    const rejected = await lab.post(alert('rejected'));
    expect([rejected.status, rejected.headers.get('retry-after')]).toEqual([503, '15']);
    expect(await rejected.text()).toMatch(/read-only/);
    await seesIt(lab, /read-only/);
    await disk.remount('rw');
    await isWell(lab);
    expect((await lab.post(alert('after'))).status).toBe(200);
    await expect.poll(() => names(lab)).toEqual(['after']);
  });

  it('has its backlog, which goes out when it can be written', async (context) => {
    const disk = await smallDisk(context);
    const lab = await startLab({ dir: disk.dir, settings });
    await lab.pubsub.stop();
    await lab.post(alert('before'));
    await lab.stop();
    await lab.pubsub.start();
    await disk.remount('ro');
    const again = await startLab({ previous: lab, settings });
    expect((await again.post(alert('rejected'))).status).toBe(503);
    await disk.remount('rw');

    await expect.poll(() => names(again)).toEqual(['before']);
  });
});
