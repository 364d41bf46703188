/** Commands that run until a signal, each in its own process. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { cleanUps, feed, listen } from '@skolo/base/testing';
import { createTokens, type PubSubRacks, startPubSubRacks } from '@skolo/scripted-services';
import { peer } from '@skolo/simulators';
import { afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createPlace, type Place } from './testing/session.ts';

const files = fileURLToPath(new URL('../testdata/files', import.meta.url));

let racks: PubSubRacks;
let place: Place;
const atTheEnd = cleanUps();
beforeAll(async () => {
  const tokens = await createTokens();
  atTheEnd(tokens.remove);
  racks = await startPubSubRacks({ tokens });
  atTheEnd(racks.close);
  place = await createPlace(files, { alerts: racks, tokens });
  atTheEnd(place.remove);
});
afterEach(async () => {
  racks.muted.clear();
  await racks.pubsub.start();
});

/** Ends with the test at the latest. */
function start(...args: string[]) {
  const { dir, env } = place;
  const child = spawn('skolo', ['alerts', ...args], { cwd: dir, env });
  const printed = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    printed.out += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    printed.err += chunk;
  });
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  /** It exits by itself, without a signal. */
  const end = (signal?: NodeJS.Signals) => {
    if (signal !== undefined) child.kill(signal);
    return ended;
  };
  /** Without times. */
  const lines = () =>
    printed.out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.replace(/^\S+Z {2}/, ''));
  return { printed, lines, end };
}

/** An HTTP sink that does not listen at first. */
async function startSink() {
  const received: string[] = [];
  let rejections = 2;
  const server = createServer(async (request, response) => {
    const body = await text(request);
    rejections -= 1;
    if (rejections >= 0) return response.writeHead(503).end();
    const { alertname, rack = '-', __state__: state } = JSON.parse(body);
    received.push(`${alertname} ${rack} ${state}`);
    return response.writeHead(204).end();
  });
  const port = await listen(server);
  return { url: `http://127.0.0.1:${port}/pagers`, received };
}

async function complaintsOfPromtool(path: string, metrics: string): Promise<string> {
  const child = spawn(path, ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
  feed(child, metrics);
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return out + err;
}

describe('skolo alerts tail', () => {
  it('reports when Pub/Sub stops sending, and when it sends again', async () => {
    const { lines, printed, end } = start('tail', '--rack', 'rack4.yaml', '--heartbeats');
    await expect.poll(lines).toContain('rack4  healthy    HEALTHZ  version 1.2.3');

    await racks.pubsub.stop();
    await expect.poll(() => printed.err).toMatch(/Pub\/Sub cannot be reached: .*; retrying/);
    await racks.pubsub.start();
    await expect.poll(() => printed.err).toContain('the subscription has recovered');
    const before = lines().length;

    await expect.poll(() => lines().length).toBeGreaterThan(before);
    expect(await end('SIGTERM')).toEqual([0, null]);
    expectNothingLeft();
  });

  it('ends with Ctrl-C, and leaves nothing behind', async () => {
    const { lines, end } = start('tail', '--rack', 'rack4.yaml', '--heartbeats');
    await expect.poll(lines).not.toEqual([]);

    expect(await end('SIGINT')).toEqual([0, null]);
    expectNothingLeft();
  });
});

/** Each created subscription is deleted. */
function expectNothingLeft() {
  const resources = (wanted: string) =>
    racks.pubsub.calls
      .filter(({ method, code }) => method === wanted && code === 'OK')
      .map(({ resource }) => resource);
  const made = resources('CreateSubscription');
  expect(made).not.toEqual([]);
  expect(resources('DeleteSubscription')).toEqual(made);
}

describe('skolo alerts watch', () => {
  const expected = ['--project', 'my-project', '--location', 'rack4', 'rack6'];

  it('reports racks that are silent or back, and when Pub/Sub cannot be reached', async () => {
    const sink = await startSink();
    const { lines, printed, end } = start(
      'watch',
      ...expected,
      ...['--silent-after', '20s', '--notify', sink.url, '--state', 'watch.json'],
    );
    const blind = expect.stringMatching(/^- {2}blind {7}\S+: Pub\/Sub cannot be reached: /);

    await expect.poll(lines).toContain('rack4  well');
    await expect.poll(lines).toContainEqual(expect.stringMatching(/^rack6 {2}silent/));
    await expect.poll(() => sink.received).toEqual(['RackSilent rack6 active']);
    expect(lines()).toContain('rack9  unexpected  not expected');
    expect(printed.err).toContain('not sent yet, retrying');

    racks.muted.add('rack4');
    await expect.poll(() => sink.received).toContain('RackSilent rack4 active');
    expect(lines()).toContainEqual(expect.stringMatching(/^rack4 {2}silent {6}silent for \d+ s$/));
    racks.muted.delete('rack4');
    await expect.poll(() => sink.received).toContain('RackSilent rack4 resolved');
    expect(lines()).toContainEqual(
      expect.stringMatching(/^rack4 {2}well {8}after \d+ s of silence$/),
    );

    const before = lines().length;
    await racks.pubsub.stop();
    await expect.poll(() => sink.received).toContain('WatchBlind - active');
    expect(lines().slice(before)).toEqual([blind]);
    await racks.pubsub.start();
    await expect.poll(() => sink.received).toContain('WatchBlind - resolved');
    await expect.poll(lines).toContainEqual(expect.stringMatching(/^- {2}listening {3}after /));

    expect(await end('SIGTERM')).toEqual([0, null]);
    expect(sink.received).toEqual([
      'RackSilent rack6 active',
      'RackSilent rack4 active',
      'RackSilent rack4 resolved',
      'WatchBlind - active',
      'WatchBlind - resolved',
    ]);
    const { locations, firing, waiting } = JSON.parse(
      await readFile(join(place.dir, 'watch.json'), 'utf8'),
    );
    expect(locations).toMatchObject({ rack4: { silent: false }, rack6: { silent: true } });
    expect(firing).toEqual([
      expect.objectContaining({ labels: expect.objectContaining({ rack: 'rack6' }) }),
    ]);
    expect(waiting).toEqual([]);
  });

  it('is read by Prometheus', async () => {
    const { printed, lines, end } = start(
      'watch',
      ...expected,
      ...['--metrics-port', '0', '--json'],
    );
    await expect.poll(lines).toContainEqual(expect.stringContaining('"location":"rack4"'));
    const [url = ''] = printed.err.match(/http:\S+/) ?? [];

    const answer = await fetch(url);
    const metrics = await answer.text();

    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(metrics.split('\n').filter((line) => /^\w/.test(line))).toEqual([
      expect.stringMatching(
        /^skolo_alerts_location_last_heartbeat_timestamp_seconds\{location="rack4"\} \d{10}(\.\d+)?$/,
      ),
      'skolo_alerts_location_last_heartbeat_timestamp_seconds{location="rack6"} 0',
      'skolo_alerts_location_healthy{location="rack4"} 1',
      'skolo_alerts_location_healthy{location="rack6"} 0',
      'skolo_alerts_watch_blind 0',
      'skolo_alerts_watch_not_told 0',
    ]);
    const promtool = peer('promtool');
    if (promtool !== undefined) expect(await complaintsOfPromtool(promtool, metrics)).toBe('');
    expect((await fetch(new URL('/healthz', url))).status).toBe(200);
    expect((await fetch(new URL('/nothing', url))).status).toBe(404);
    expect(await end('SIGINT')).toEqual([0, null]);
    for (const line of lines())
      expect(JSON.parse(line)).toMatchObject({ state: expect.any(String) });
  });

  it('names a port that is in use', async () => {
    const { port } = racks.pubsub;
    const { printed, end } = start('watch', ...expected, '--metrics-port', String(port));

    expect(await end()).toEqual([1, null]);
    expect(printed.err).toContain(`skolo: cannot listen on port ${port}: `);
  });
});

describe('skolo alerts send', () => {
  it('ends with Ctrl-C by the signal, as shells expect', async () => {
    const { end, lines } = start('send', '--rack', 'rack4.yaml', '--resolve-after', '1h');
    await expect.poll(lines).toHaveLength(1);

    expect(await end('SIGINT')).toEqual([null, 'SIGINT']);
  });
});
