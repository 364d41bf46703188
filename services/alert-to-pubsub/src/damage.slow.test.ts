/** What is left of a damaged state directory arrives, what is lost is reported, and no message is made up. */

import { appendFile, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { countRounds, seeded } from '@skolo/base/durable/fault-injection';
import { tempDir, testSeed } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it } from 'vitest';
import { damageSomewhere, segmentsIn, spooledIn } from './testing/damage.ts';
import { type Arrived, type Lab, newPubSub, startLab } from './testing/lab.ts';

const rounds = countRounds(1);
/** The smallest spool: a quarter of it makes a snapshot. */
const settings = 'refreshSeconds: 1\nspool: { maxBytes: 4194304 }';

const at = (n: number) => new Date(Date.parse('2026-11-20T07:00:00Z') + n * 1000).toISOString();

/** It fires with each odd `n`, and ends with the next. */
const alert = (name: string, n: number, text = '') => ({
  labels: { alertname: 'Damaged', name },
  annotations: { n: String(n), text },
  ...(n % 2 === 1
    ? { startsAt: at(n), endsAt: '2099-01-01T00:00:00Z' }
    : { startsAt: at(n - 1), endsAt: at(n) }),
});

/** A service that has accepted so many changes of alerts, which are not delivered yet; and a snapshot of those before. */
async function withBacklog(changes: number, text = 'x'.repeat(20_000)): Promise<Lab> {
  const lab = await startLab({ settings });
  await lab.pubsub.stop();
  for (let n = 1; n <= changes; n += 1) {
    const names = Array.from({ length: 6 }, (_, i) => `alert-${i}`);
    expect((await lab.post(...names.map((name) => alert(name, n, text)))).status).toBe(200);
  }
  return lab;
}

/** The service may write there already while the rest is deleted. */
async function removeAtOnce(dir: string): Promise<void> {
  await rename(dir, `${dir}.gone`);
  await rm(`${dir}.gone`, { recursive: true });
}

const snapshotIn = (stateDir: string) => join(stateDir, 'spool', 'snapshot');

async function isThere(path: string): Promise<boolean> {
  return (await readdir(join(path, '..')).catch(() => [] as string[])).includes(basename(path));
}

const depth = async (lab: Lab) => (await lab.client.status({})).sinks[0]?.depth;
const notices = (lab: Lab) => lab.arrived().filter(({ kind }) => kind === 'notice');
const damaged = (lab: Lab) =>
  notices(lab).filter(({ attributes }) => attributes.alertname === 'AlertDeliveryDamaged');
const logs = (lab: Lab, msg: string) => lab.logged().filter((line) => line.msg === msg);
const counted = async (lab: Lab) =>
  Number(/^skolo_alerts_spool_damaged_records_total (\d+)/m.exec(await lab.metrics())?.[1]);

/** Of those that are alerts, each once. */
function alertsOf(lab: Lab): Arrived[] {
  const first = new Map<string, Arrived>();
  for (const arrived of lab.arrived()) {
    const { id = '' } = arrived.attributes;
    if (arrived.kind !== 'notice' && !first.has(id)) first.set(id, arrived);
  }
  return [...first.values()];
}

const transitions = (lab: Lab) => alertsOf(lab).filter(({ kind }) => kind === 'transition');

/** All that fires, as far as the service knows, is refreshed. */
async function toldAgain(lab: Lab) {
  await expect
    .poll(async () => {
      const refreshed = new Set(
        alertsOf(lab)
          .filter(({ kind }) => kind === 'refresh')
          .map(({ body }) => body.name),
      );
      const firing = (await lab.alerts()).filter(({ status }) => status === 'firing');
      return firing.filter(({ labels }) => !refreshed.has(labels.name));
    })
    .toEqual([]);
}

describe('a spool', () => {
  it(`that is damaged anywhere, ${rounds} times`, async () => {
    console.log(`damage to the state of alert-to-pubsub: ${rounds} times`);
    const random = seeded(testSeed());
    const lab = await withBacklog(13);
    const snapshot = snapshotIn(lab.stateDir);
    await expect.poll(() => isThere(snapshot)).toBe(true);
    await lab.stop();
    const spooled = await spooledIn(lab.stateDir);
    const ids = [...spooled.keys()];

    for (let round = 0; round < rounds; round += 1) {
      const dir = await tempDir();
      await cp(lab.stateDir, join(dir, 'state'), { recursive: true });
      const files = [...(await segmentsIn(join(dir, 'state'))), snapshotIn(join(dir, 'state'))];
      const file = files[Math.floor(random() * files.length)] ?? '';
      const { how, place } = await damageSomewhere(file, random);
      const what = `round ${round}: ${basename(file)} ${how} at ${place}`;
      const pubsub = await newPubSub();
      const again = await startLab({ dir, pubsub, settings });
      await expect.poll(() => depth(again), { message: what }).toBe(0);
      await toldAgain(again);

      const found = alertsOf(again).filter(({ attributes: { id = '' } }) => spooled.has(id));
      const places = new Map(ids.map((id, i) => [id, i]));
      const last = new Map<string, number>();
      for (const { attributes, body } of found) {
        const spooledAt = places.get(attributes.id ?? '') ?? -1;
        const message = spooled.get(attributes.id ?? '');
        expect(message?.kind !== 'notice' && message?.alert.annotations.n, what).toBe(body.n);
        expect(spooledAt, what).toBeGreaterThan(last.get(body.name ?? '') ?? -1);
        last.set(body.name ?? '', spooledAt);
      }
      // No message is made up: what is not from the spool comes from the known alerts.
      const made = alertsOf(again).filter(({ attributes: { id = '' } }) => !spooled.has(id));
      expect(
        made.filter(({ kind }) => kind !== 'refresh'),
        what,
      ).toEqual([]);
      const alerts = [...spooled.values()].filter(({ kind }) => kind !== 'notice').length;
      const lost = alerts - found.length;
      if (how === 'flipped') expect(lost, what).toBeLessThanOrEqual(1);
      if (basename(file) === 'snapshot') expect(lost, what).toBe(0);
      if (lost > 0) {
        expect(await counted(again), what).toBeGreaterThanOrEqual(lost);
        expect(logs(again, 'spool was damaged'), what).toHaveLength(1);
        await expect
          .poll(() => damaged(again)[0]?.body.description, { message: what })
          .toMatch(/lost/);
      }
      await again.stop();
      await pubsub.close();
    }
  });

  it('that is gone, but for the snapshot, starts anew, and alerts that come then are known after the next start', async () => {
    const lab = await withBacklog(13);
    await expect.poll(() => isThere(snapshotIn(lab.stateDir))).toBe(true);
    await lab.stop();
    await lab.pubsub.start();
    for (const file of await segmentsIn(lab.stateDir)) await rm(file);

    const again = await startLab({ previous: lab, settings });
    await expect.poll(() => damaged(again)[0]?.body.description).toMatch(/messages? lost/);
    expect(await counted(again)).toBeGreaterThan(0);
    await toldAgain(again);
    const statusIn = async (one: Lab) =>
      (await one.alerts()).find(({ labels }) => labels.name === 'alert-0')?.status;
    // The snapshot was written at any moment of the backlog, so it fires or not: only changes are published.
    const [n, status] = (await statusIn(again)) === 'firing' ? [14, 'resolved'] : [15, 'firing'];
    await again.post(alert('alert-0', n));
    await expect.poll(() => transitions(again).map(({ body }) => body.name)).toEqual(['alert-0']);
    await again.stop();
    const third = await startLab({ previous: lab, settings });
    expect(await statusIn(third)).toBe(status);
  });
});

describe('a spool that lost accepted messages', () => {
  /** 20 changes of alerts that are not delivered yet. */
  async function stoppedWith20(): Promise<Lab> {
    const lab = await startLab({ settings });
    await lab.pubsub.stop();
    for (let n = 1; n <= 20; n += 1) expect((await lab.post(alert('a', n))).status).toBe(200);
    await lab.stop();
    await lab.pubsub.start();
    return lab;
  }

  const damages = [
    {
      title: 'whose last 4 KiB are zeros',
      damage: async (stateDir: string) => {
        const [file = ''] = await segmentsIn(stateDir);
        const bytes = await readFile(file);
        await writeFile(file, bytes.fill(0, bytes.length - 4096));
      },
    },
    {
      title: 'whose only segment is missing',
      damage: async (stateDir: string) => rm((await segmentsIn(stateDir))[0] ?? 'none'),
    },
    {
      title: 'that is gone',
      damage: (stateDir: string) => rm(join(stateDir, 'spool'), { recursive: true }),
    },
  ];

  it.each(damages)('$title, reports it everywhere, once', async ({ damage }) => {
    const lab = await stoppedWith20();
    await damage(lab.stateDir);

    const again = await startLab({ previous: lab, settings });
    await expect.poll(() => depth(again)).toBe(0);

    const lost = 20 - transitions(again).length;
    expect(lost).toBeGreaterThanOrEqual(5);
    const why = `the spool at rack4 was damaged: ${lost} messages lost`;
    expect(await counted(again)).toBe(lost);
    expect((await again.client.status({})).spool.damage).toContain(why);
    expect(await again.readyz()).toMatchObject({
      status: 200,
      body: expect.stringContaining(`"what":"spool damage","why":"${why}`),
    });
    await expect.poll(() => damaged(again).map(({ body }) => body.lost)).toEqual([String(lost)]);
    // What was damaged is deleted once the rest is delivered.
    const mark = () => readFile(join(again.stateDir, 'spool.mark'), 'utf8');
    const oldest = async () => Number((await mark()).split(' ')[1]);
    await expect.poll(oldest).toBeGreaterThan(20);
    await again.stop();

    const third = await startLab({ previous: again, settings });
    expect(await counted(third)).toBe(0);
    expect((await third.readyz()).body).not.toContain('spool damage');
    expect(logs(third, 'spool was damaged')).toEqual([]);
  });

  it('is reported for a day', async () => {
    const lab = await stoppedWith20();
    await rm(join(lab.stateDir, 'spool'), { recursive: true });
    const clock = fakeClock(Date.now());
    const again = await startLab({ previous: lab, settings, clock });
    clock.pass(86_399_000);
    expect((await again.client.status({})).spool.damage).toBeDefined();

    clock.pass(2000);

    expect((await again.client.status({})).spool.damage).toBeUndefined();
    expect((await again.readyz()).body).not.toContain('spool damage');
  });

  it('keeps the bytes of a torn end that was never acknowledged, and reports no damage', async () => {
    const lab = await stoppedWith20();
    const [file = ''] = await segmentsIn(lab.stateDir);
    await appendFile(file, '12345678 21 {"kind"');

    const again = await startLab({ previous: lab, settings });

    await expect.poll(() => transitions(again).length).toBe(20);
    expect(await readFile(`${file}.torn`, 'utf8')).toBe('12345678 21 {"kind"');
    expect(await counted(again)).toBe(0);
    expect(again.logged().filter(({ bytes }) => bytes === 19)).toMatchObject([{ level: 'warn' }]);
  });
});

const snapshotDamages: readonly (readonly [string, (file: string) => Promise<void>])[] = [
  ['is something else', (file) => writeFile(file, '{"next":1,"al')],
  ['has zeros', (file) => writeFile(file, Buffer.alloc(4096))],
  ['is empty', (file) => writeFile(file, '')],
  ['is missing', (file) => rm(file)],
];

it.each(snapshotDamages)(
  'the snapshot that %s costs nothing that the spool has',
  async (_, damage) => {
    const lab = await startLab({ settings });
    const file = snapshotIn(lab.stateDir);
    const text = 'x'.repeat(60_000);
    for (
      let n = 1;
      !(await isThere(file)) || (await segmentsIn(lab.stateDir))[0]?.includes('00001.');
      n += 1
    ) {
      await lab.post(...['a', 'b', 'c', 'd'].map((name) => alert(name, n, text)));
      await expect.poll(() => depth(lab)).toBe(0);
    }
    for (const n of [1000, 1001])
      await lab.post(...['a', 'b', 'c', 'd'].map((name) => alert(name, n)));
    await lab.post(alert('b', 1002), alert('d', 1002));
    await expect.poll(() => depth(lab)).toBe(0);
    const before = await lab.alerts();
    await lab.stop();
    await damage(file);

    const again = await startLab({ previous: lab, settings });
    const states = (alerts: typeof before) =>
      alerts.map(({ labels, status }) => `${labels.name} ${status}`).sort();
    expect(states(await again.alerts())).toEqual(states(before));
    await expect.poll(() => damaged(again)[0]?.body.description).toMatch(/list of known alerts/);
    expect(logs(again, 'list of known alerts was lost')).toHaveLength(1);
    expect(await counted(again)).toBe(1);
    await toldAgain(again);
  },
);

describe('a state directory that vanishes while it is in use', () => {
  const vanishing: readonly (readonly [string, (dir: string) => Promise<void>])[] = [
    ['deleted', removeAtOnce],
    [
      'deleted, and there again',
      (dir) => removeAtOnce(dir).then(() => mkdir(dir, { recursive: true }).then(() => undefined)),
    ],
    ['moved', (dir) => rename(dir, `${dir}.old`)],
  ];

  it.each(vanishing)('%s: what waits arrives, what comes is kept', async (_, vanish) => {
    const lab = await withBacklog(3, '');
    await vanish(lab.stateDir);
    expect((await lab.post(alert('alert-0', 4), alert('new', 1))).status).toBe(200);
    await expect
      .poll(() => logs(lab, 'spool was deleted while in use and has been recreated').length)
      .toBe(1);
    await expect.poll(() => isThere(snapshotIn(lab.stateDir))).toBe(true);
    await lab.stop();
    await lab.pubsub.start();

    const again = await startLab({ previous: lab, settings });
    await expect.poll(() => depth(again)).toBe(0);
    expect(transitions(again)).toHaveLength(3 * 6 + 2);
    expect(
      (await again.alerts()).map(({ labels, status }) => `${labels.name} ${status}`),
    ).toContain('new firing');
    expect(damaged(again)).toEqual([]);
  });

  it('loses what was not read yet of older segments, and the loss is reported', async () => {
    const lab = await startLab({
      settings: 'spool: { maxBytes: 16777216 }\nrefreshSeconds: 180',
    });
    await lab.pubsub.stop();
    // More than what is read ahead, and more segments than the one that is read and the newest.
    const total = 2500;
    for (let from = 0; from < total; from += 500) {
      const alerts = Array.from({ length: 500 }, (_, i) =>
        alert(`alert-${from + i}`, 1, 'x'.repeat(3000)),
      );
      expect((await lab.post(...alerts)).status).toBe(200);
    }
    expect((await segmentsIn(lab.stateDir)).length).toBeGreaterThan(2);
    await removeAtOnce(lab.stateDir);
    await lab.pubsub.start();

    await expect.poll(() => depth(lab)).toBe(0);
    // Told as the reader meets it, one segment after the other.
    const reported = () => damaged(lab).reduce((sum, { body }) => sum + Number(body.lost), 0);
    await expect.poll(() => transitions(lab).length + reported()).toBe(total);
    const lost = reported();
    expect(lost).toBeGreaterThan(0);
    expect(await counted(lab)).toBe(lost);
  });
});
