import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { SpooledMessage } from '@skolo/alerts';
import { listen, tempDir, untilTestEnds } from '@skolo/base/testing';
import { startPstest, startPubSubGate } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type AlertProcess, startAlertProcess } from './testing/alert-process.ts';
import { type Flipping, postUntilAccepted, problemsOf } from './testing/flips.ts';
import { postAlerts, rackYaml, startLab } from './testing/lab.ts';
import { startSubscriber } from './testing/subscriber.ts';

const eventually = { interval: 100 };

/** Answers with `status`; remembers what it accepted, in order. */
async function startReceiver() {
  const receiver = {
    url: '',
    status: (_name: string): number => 200,
    taken: [] as string[],
    rejected: 0,
    /** By ID of the message. */
    attempts: new Map<string, number>(),
    /** How many it had rejected when it accepted this one. */
    rejectedBefore: new Map<string, number>(),
  };
  const server = createServer(async (request, response) => {
    const { name, id } = JSON.parse(await text(request));
    const status = receiver.status(name);
    receiver.attempts.set(id, (receiver.attempts.get(id) ?? 0) + 1);
    // A notice has no name.
    if (status === 200 && name !== '') {
      receiver.taken.push(name);
      receiver.rejectedBefore.set(name, receiver.rejected);
    }
    if (status !== 200) receiver.rejected += 1;
    response.writeHead(status).end();
  });
  const port = await listen(server);
  receiver.url = `http://127.0.0.1:${port}/`;
  return receiver;
}

function httpSettings(url: string, refreshes = true): string {
  const sink = `{ name: pager, kind: http, url: '${url}', refreshes: ${refreshes}, body: '{"name": "{{labels.name}}", "id": "{{id}}"}' }`;
  return `pubsub: false\nrefreshSeconds: 1\nsinks: [${sink}]`;
}

async function httpRack(url: string, refreshes = true): Promise<string> {
  const dir = await tempDir();
  await writeFile(join(dir, 'rack.yaml'), rackYaml('127.0.0.1:1', httpSettings(url, refreshes)));
  return dir;
}

async function post(
  { url }: Pick<AlertProcess, 'url'>,
  names: readonly string[],
  rules = 1,
  endsAt = '2099-01-01T00:00:00Z',
): Promise<void> {
  const alerts = names.map((name, n) => ({
    labels: { alertname: `Hot${n % rules}`, name },
    endsAt,
  }));
  const response = await postAlerts(url, alerts);
  expect([response.status, await response.text()]).toEqual([200, '']);
}

const named = (count: number) => Array.from({ length: count }, (_, n) => `alert-${n}`);
type Client = Pick<AlertProcess, 'client'>;
/** Asked again while the service is overloaded. */
const sinkOf = async ({ client }: Client) => (await vi.waitFor(() => client.status({}))).sinks[0];
const lettersOf = async ({ client }: Client) =>
  (await vi.waitFor(() => client.deadLetters({ query: { limit: 100 } }))).deadLetters;
const readyz = async ({ metricsUrl }: AlertProcess) => (await fetch(`${metricsUrl}/readyz`)).json();

describe('an HTTP sink', () => {
  it('that answers 400 to everything loses nothing, also through kill -9', async () => {
    const receiver = await startReceiver();
    const dir = await httpRack(receiver.url);
    receiver.status = () => 400;
    const names = named(30);
    let service = await startAlertProcess(dir);
    await post(service, names);

    await expect.poll(() => receiver.rejected, eventually).toBeGreaterThan(10);
    expect(await readyz(service)).toMatchObject({
      degraded: [{ what: 'sink pager', why: expect.stringContaining('responds with 400') }],
    });
    // With refreshes.
    const { depth = 0, ...status } = (await sinkOf(service)) ?? {};
    expect(status).toMatchObject({ down: true, reason: 'rejected' });
    expect(depth).toBeGreaterThanOrEqual(30);
    const metrics = await (await fetch(`${service.metricsUrl}/metrics`)).text();
    expect(metrics).toContain('skolo_alerts_sink_down{sink="pager"} 1');
    await service.end('SIGKILL');
    service = await startAlertProcess(dir);
    const before = receiver.rejected;
    await expect.poll(() => receiver.rejected, eventually).toBeGreaterThan(before + 10);
    receiver.status = () => 200;

    await expect.poll(() => new Set(receiver.taken).size, eventually).toBe(30);
    expect(await lettersOf(service)).toEqual([]);
    await expect.poll(async () => (await sinkOf(service))?.reason, eventually).toBeUndefined();
    expect(await readyz(service)).not.toHaveProperty('degraded.0');
  });

  it.each([0, 30, 60, 200, 3000].flatMap((many) => [1, 40].map((rules) => [many, rules])))(
    'that rejects %i alerts of %i rules gets another alert before it gets these again',
    async (many, rules) => {
      const receiver = await startReceiver();
      receiver.status = (name) => (name.startsWith('page') ? 200 : 400);
      const service = await startLab({ settings: httpSettings(receiver.url) });

      for (const page of ['page 1', 'page 2']) {
        await post(service, named(many), rules);
        await expect.poll(() => receiver.rejected, eventually).toBeGreaterThanOrEqual(many / 4);
        await post(service, [page]);
        const before = receiver.rejected;
        await expect.poll(() => receiver.taken, eventually).toContain(page);

        // Those that were under way.
        expect(receiver.rejectedBefore.get(page)).toBeLessThan(before + 50);
      }
    },
  );

  it('that has accepted a message sets aside what it rejects four times, also after kill -9; with other settings, nothing', async () => {
    const receiver = await startReceiver();
    const dir = await httpRack(receiver.url);
    receiver.status = (name) => (name === 'good' ? 200 : 400);
    let service = await startAlertProcess(dir);
    await post(service, ['good'], 1, new Date().toISOString());
    const times = () => readFile(join(dir, 'state', 'last-success.json'), 'utf8').catch(() => '');
    await expect.poll(times, eventually).toContain('pager accepted');
    await service.end('SIGKILL');

    service = await startAlertProcess(dir);
    await post(service, ['bad'], 1);
    // A later change of the alert, so that the first one does not wait for long.
    await post(service, ['bad'], 1, new Date().toISOString());
    await expect.poll(async () => (await lettersOf(service)).length, eventually).toBe(1);
    const [letter] = await lettersOf(service);
    expect(letter?.found).toMatchObject({ alert: { status: 'firing', labels: { name: 'bad' } } });
    expect(receiver.attempts.get(SpooledMessage.parse(letter?.found).id)).toBe(4);

    const rack = await readFile(join(dir, 'rack.yaml'), 'utf8');
    await writeFile(join(dir, 'rack.yaml'), rack.replace(receiver.url, `${receiver.url}other`));
    await expect.poll(async () => (await sinkOf(service))?.setAside, eventually).toBe(0);
    const before = receiver.rejected;
    await expect.poll(() => receiver.rejected, eventually).toBeGreaterThan(before + 5);
    expect(await sinkOf(service)).toMatchObject({ down: true, reason: 'rejected', setAside: 0 });
  });

  it('that answers 500 to one of many for ever gets all others once, and nothing is set aside', async () => {
    const receiver = await startReceiver();
    const dir = await httpRack(receiver.url, false);
    const names = named(8000);
    let poison = `alert-${names.length / 8}`;
    receiver.status = (name) => (name === poison ? 500 : 200);
    let service = await startAlertProcess(dir);
    await post(service, names);

    const others = names.filter((name) => name !== poison);
    await expect.poll(() => new Set(receiver.taken), eventually).toEqual(new Set(others));
    const failures = receiver.rejected;
    // Later than a second after the last of the others.
    await expect.poll(() => receiver.rejected, eventually).toBeGreaterThan(failures + 5);
    const attempts = new Map(receiver.attempts);
    await service.end('SIGKILL');
    service = await startAlertProcess(dir);
    await expect.poll(() => receiver.rejected, eventually).toBeGreaterThan(failures + 9);
    const again = [...attempts.keys()].filter(
      (id) => receiver.attempts.get(id) !== attempts.get(id),
    );
    expect(again).toHaveLength(1);
    poison = '';

    await expect.poll(() => new Set(receiver.taken), eventually).toEqual(new Set(names));
    expect(await lettersOf(service)).toEqual([]);
  });
});

/** A subscriber of pstest, and a gate before it, which is all that services see. */
async function startGate(endpoint: string) {
  const gate = untilTestEnds(await startPubSubGate(endpoint));
  vi.stubEnv('PUBSUB_EMULATOR_HOST', endpoint);
  onTestFinished(() => void vi.stubEnv('PUBSUB_EMULATOR_HOST', undefined));
  const subscriber = await startSubscriber(endpoint);
  vi.stubEnv('PUBSUB_EMULATOR_HOST', gate.endpoint);
  return { gate, subscriber };
}

describe("Google's pstest", () => {
  let pstest: Awaited<ReturnType<typeof startPstest>>;

  beforeAll(async () => {
    pstest = await startPstest();
  });
  afterAll(() => pstest?.close());

  it('behind something that answers INVALID_ARGUMENT to everything, also after kill -9, then gets all, in order for each alert', async ({
    skip,
  }) => {
    if (pstest === undefined) return skip('pstest is not built');
    const { gate, subscriber } = await startGate(pstest.endpoint);
    const dir = await tempDir();
    await writeFile(join(dir, 'rack.yaml'), rackYaml(gate.endpoint, 'orderingKeys: 8'));
    gate.rejects = () => ({ code: 'INVALID_ARGUMENT', message: 'The schema has no such field.' });
    const flipping = named(50).map((name): Flipping => ({ name, changes: 0 }));
    let service = await startAlertProcess(dir);
    async function change() {
      for (const each of flipping) each.changes += 1;
      await postUntilAccepted(async () => service, 'v2', flipping);
    }
    await change();
    await change();

    // Each alert by itself, and some of them again.
    await expect.poll(() => gate.rejected, eventually).toBeGreaterThan(flipping.length + 5);
    await change();
    expect(await sinkOf(service)).toMatchObject({ down: true, reason: 'rejected' });
    await service.end('SIGKILL');
    service = await startAlertProcess(dir);
    const before = gate.rejected;
    await expect.poll(() => gate.rejected, eventually).toBeGreaterThan(before + 5);
    gate.rejects = undefined;
    await change();

    await expect.poll(() => problemsOf(subscriber.received(), flipping), eventually).toEqual([]);
    await expect.poll(async () => (await sinkOf(service))?.depth, eventually).toBe(0);
    expect(problemsOf(subscriber.received(), flipping)).toEqual([]);
    expect(await lettersOf(service)).toEqual([]);
  });

  it('behind something that rejects one message for ever gets all others', async ({ skip }) => {
    if (pstest === undefined) return skip('pstest is not built');
    const { gate, subscriber } = await startGate(pstest.endpoint);
    const poison = 'alert-poison';
    gate.rejects = (request) =>
      request.includes(poison) ? { code: 'INVALID_ARGUMENT', message: 'no' } : undefined;
    const count = 1000;
    const names = [...named(count / 2), poison, ...named(count).slice(count / 2)];
    // Without refreshes meanwhile: pstest delivers fewer messages in a second than there are alerts.
    const service = await startLab();
    await post(service, names);

    const arrived = () => subscriber.received().map(({ data }) => JSON.parse(String(data)).name);
    const alerts = () => new Set(arrived().filter((name) => name !== undefined));
    await expect.poll(() => alerts().size, eventually).toBe(count);
    await expect.poll(async () => (await lettersOf(service)).length, eventually).toBeGreaterThan(0);
    expect(alerts()).not.toContain(poison);
    for (const letter of await lettersOf(service)) {
      expect(letter).toMatchObject({
        from: 'pubsub',
        found: { alert: { labels: { name: poison } } },
      });
    }
  });
});
