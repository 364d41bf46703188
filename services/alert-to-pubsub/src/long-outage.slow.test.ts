/**
 * Pub/Sub is away for half a day, or in `npm run test:long` for a week, in which an alert begins or ends each second, and the
 * service is started again: all of it is accepted, in little memory, and arrives in order when Pub/Sub is back; one notice reports the
 * outage. The clock of the process is set by the test, so that half a day takes seconds.
 */

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLong } from '@skolo/base/durable/fault-injection';
import { tempDir } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { type AlertProcess, memoryOf, startAlertProcess } from './testing/alert-process.ts';
import { type Arrived, arrivedAs, newPubSub, rackYaml } from './testing/lab.ts';

/** As many as seconds. */
const total = (isLong ? 7 * 24 : 12) * 3600;
const batch = 100;
const alerts = 1000;
/** Of the process, in MiB: what waits is on the disk. */
const mostMemory = 200;
const start = Date.parse('2026-11-20T12:00:00Z');

/** Compiled, with the flags of the image. */
async function asInImages(dir: string) {
  const { bundles } = await import('../../../scripts/bundle/bundles.mjs');
  const { compile } = await import('../../../scripts/bundle/write-bundle.mjs');
  const main = join(import.meta.dirname, 'testing/clocked-main.ts');
  await compile(main, join(dir, 'dist'), { leastNode: '24.0' }, '0.0.0');
  await writeFile(join(dir, 'package.json'), JSON.stringify({ type: 'module' }));
  const { nodeFlags = [] } = bundles.find(({ name }) => name === 'alert-to-pubsub') ?? {};
  return { script: join(dir, 'dist/clocked-main.js'), nodeFlags };
}

/** What has arrived, without keeping it. */
class Arrivals {
  readonly problems: string[] = [];
  readonly notices: Arrived[] = [];
  readonly refreshed = new Set<string>();
  transitions = 0;
  private readonly last = new Map<string, number>();

  get firing(): string[] {
    return [...this.last].filter(([, n]) => n % 2 === 1).map(([name]) => name);
  }

  take(arrived: Arrived) {
    const { kind, body, attributes } = arrived;
    const { name = '' } = body;
    const n = Number(body.n);
    const before = this.last.get(name) ?? 0;
    if (kind === 'notice') this.notices.push(arrived);
    if (kind === 'refresh') this.refreshed.add(name);
    // What a restart sends again.
    if (kind !== 'transition' || n <= before) return;
    if (n !== before + 1) this.problems.push(`${name}: ${n} after ${before}`);
    const status = n % 2 === 1 ? 'firing' : 'resolved';
    if (attributes.status !== status) this.problems.push(`${name}: ${n} is ${attributes.status}`);
    this.last.set(name, n);
    this.transitions += 1;
  }
}

it(`${total} alerts in an outage of as many seconds`, async () => {
  const pubsub = await newPubSub({ keep: false });
  const arrivals = new Arrivals();
  pubsub.onPublish((_, messages) => {
    for (const message of messages) arrivals.take(arrivedAs(message));
  });
  const dir = await tempDir();
  const { script, nodeFlags } = await asInImages(dir);
  await writeFile(join(dir, 'rack.yaml'), rackYaml(pubsub.endpoint, ''));
  let seconds = 0;
  const run = () =>
    startAlertProcess(
      dir,
      script,
      { '--wall': String(start + seconds * 1000), '--uptime': String(50_000 + seconds) },
      nodeFlags,
    );
  async function pass(service: AlertProcess, count: number) {
    const passed = once(service.child, 'message');
    service.child.send({ pass: count * 1000 });
    seconds += count;
    await passed;
  }

  let service = await run();
  const memory: number[] = [];
  async function measure() {
    const found = await memoryOf(service);
    if (found !== undefined) memory.push(found.most);
  }
  await pubsub.stop();
  for (let posted = 0; posted < total; posted += batch) {
    const now = start + seconds * 1000;
    const changes = Array.from({ length: batch }, (_, i) => {
      const n = Math.floor((posted + i) / alerts) + 1;
      return {
        labels: { alertname: 'Week', severity: 'page', name: `alert-${(posted + i) % alerts}` },
        annotations: {
          n: String(n),
          summary: 'a text about as long as such texts are, or a bit longer',
        },
        endsAt: n % 2 === 1 ? '2099-01-01T00:00:00Z' : new Date(now).toISOString(),
      };
    });
    const body = JSON.stringify(changes);
    const response = await fetch(`${service.url}/api/v2/alerts`, { method: 'POST', body });
    expect([response.status, await response.text()]).toEqual([200, '']);
    await pass(service, batch);
    if (posted % 10_000 === 0) await measure();
    if (posted === total / 2) {
      expect(await service.end('SIGTERM')).toBe(0);
      service = await run();
    }
  }
  await measure();
  const before = Math.round(Math.max(...memory));
  expect(arrivals.transitions).toBe(0);
  const outage = seconds;
  await pubsub.start();

  await expect.poll(() => arrivals.transitions, { interval: 200 }).toBe(total);
  await expect.poll(() => arrivals.notices.length).toBe(1);
  await measure();
  expect(arrivals.problems).toEqual([]);
  const { body } = arrivals.notices[0] ?? {};
  expect(body?.alertname).toBe('AlertDeliveryGap');
  expect(Number(body?.seconds)).toBeGreaterThan(outage - 2 * batch);
  expect(Number(body?.seconds)).toBeLessThanOrEqual(outage);
  expect(Number(body?.messages)).toBeGreaterThanOrEqual(total);

  // What fires is refreshed.
  await expect
    .poll(async () => (await service.client.status({})).sinks[0])
    .toMatchObject({ depth: 0, oldestSeconds: 0 });
  arrivals.refreshed.clear();
  await pass(service, 60);
  await expect.poll(() => arrivals.refreshed.size).toBe(arrivals.firing.length);
  await expect.poll(async () => (await service.client.status({})).sinks[0]?.reason).toBeUndefined();
  expect(arrivals.notices).toHaveLength(1);
  const most = Math.round(Math.max(...memory));
  console.log(
    `${total} alerts in an outage of ${outage} s: at most ${before} MiB resident in it, ${most} MiB with what came then`,
  );
  expect(most).toBeLessThan(mostMemory);
  expect(await service.end('SIGTERM')).toBe(0);
});
