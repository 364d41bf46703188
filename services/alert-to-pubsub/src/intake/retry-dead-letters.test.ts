import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { listen, tempDir } from '@skolo/base/testing';
import { describe, expect, it } from 'vitest';
import { DeadLetters } from '../state/dead-letters.ts';
import { type Lab, startLab } from '../testing/lab.ts';

/** Takes everything but what is bad, as long as that is so. */
async function startPager() {
  const pager = { url: '', taken: [] as string[], isPicky: true };
  const server = createServer(async (request, response) => {
    const { name, status } = JSON.parse(await text(request));
    const isRejected = pager.isPicky && name.startsWith('bad');
    if (!isRejected) pager.taken.push(`${name} ${status}`);
    response.writeHead(isRejected ? 400 : 200).end();
  });
  const port = await listen(server);
  pager.url = `http://127.0.0.1:${port}/`;
  return pager;
}

const far = '2099-01-01T00:00:00Z';
const fires = (name: string) => ({ labels: { alertname: 'Hot', name }, endsAt: far });
const ends = (name: string) => ({
  labels: { alertname: 'Hot', name },
  endsAt: '2026-11-20T08:00:00Z',
});

const lettersIn = async ({ client }: Lab) =>
  (await client.deadLetters({ query: { limit: 100 } })).deadLetters;

/** Until each of these is a dead letter; what else goes on shows that the pager works. */
async function untilSetAside(lab: Lab, count: number) {
  let n = 0;
  await expect
    .poll(
      async () => {
        n += 1;
        await lab.post(...Array.from({ length: 4 }, (_, i) => fires(`good-${n}-${i}`)));
        return (await lettersIn(lab)).length;
      },
      { interval: 500 },
    )
    .toBeGreaterThanOrEqual(count);
}

describe('skolo alerts dead-letters --retry', () => {
  it('sends them to the sink that rejected them, and then how the alert is now', async () => {
    const pager = await startPager();
    const body = '{"name": "{{labels.name}}", "status": "{{status}}"}';
    const sink = `{ name: pager, kind: http, url: '${pager.url}', body: '${body}' }`;
    const lab = await startLab({
      isOperator: true,
      settings: `refreshSeconds: 240\nsinks: [${sink}]`,
    });
    await lab.post(fires('bad-1'), fires('bad-2'), { labels: {} });
    await untilSetAside(lab, 3);
    // It is over before it is sent again.
    pager.isPicky = false;
    await lab.post(ends('bad-1'));
    await expect.poll(() => pager.taken).toContain('bad-1 resolved');
    const toPubSub = () =>
      lab
        .arrived()
        .filter(({ kind, body: { name = '' } }) => kind !== 'refresh' && name.startsWith('bad'));
    const before = toPubSub().length;

    const answer = await lab.client.retryDeadLetters({ body: { reason: 'body corrected' } });

    expect(answer).toEqual({ retried: 2, kept: 1 });
    await expect
      .poll(() => pager.taken.filter((name) => name.startsWith('bad-1')))
      .toEqual(['bad-1 resolved', 'bad-1 firing', 'bad-1 resolved']);
    // It fires still, so a refresh may follow.
    await expect.poll(() => pager.taken).toContain('bad-2 firing');
    expect(await lettersIn(lab)).toMatchObject([{ from: 'v2' }]);
    expect(toPubSub()).toHaveLength(before);
    const [segment = ''] = await readdir(join(lab.stateDir, 'audit'));
    const audit = await readFile(join(lab.stateDir, 'audit', segment), 'utf8');
    expect(audit).toMatch(/"ann".*body corrected/);

    // A retried message does not change the current state of the alert, also for the next process.
    await lab.stop();
    const again = await startLab({ previous: lab, settings: `sinks: [${sink}]` });
    const known = (await again.alerts()).find(({ labels }) => labels.name === 'bad-1');
    expect(known?.status).toBe('resolved');
  });

  it('names the sinks that there are', async () => {
    const lab = await startLab({ isOperator: true });

    await expect(lab.client.retryDeadLetters({ body: { sink: 'pagre' } })).rejects.toThrow(
      'no sink pagre in rack.yaml; sinks: pubsub',
    );
  });
});

it('sends a test, and its end, to one sink only, which is no known alert', async () => {
  const pager = await startPager();
  const body = '{"name": "{{labels.alertname}}", "status": "{{status}}"}';
  const sink = `{ name: pager, kind: http, url: '${pager.url}', body: '${body}' }`;
  const lab = await startLab({ isOperator: true, settings: `sinks: [${sink}]` });

  await lab.client.sendTest({ params: { sink: 'pager' } });

  await expect.poll(() => pager.taken).toEqual(['SkoloTest firing', 'SkoloTest resolved']);
  expect(await lab.alerts()).toEqual([]);
  expect(lab.arrived().filter(({ body: { alertname } }) => alertname === 'SkoloTest')).toEqual([]);
  await expect(lab.client.sendTest({ params: { sink: 'pagre' } })).rejects.toThrow(
    'no sink pagre in rack.yaml; sinks: ',
  );
});

describe('dead letters that are taken out', () => {
  it('keep no others waiting, or alerts that come meanwhile with an invalid one would wait for ever', async () => {
    const letters = new DeadLetters(await tempDir(), () => 2000);
    const letter = (from: string) => ({ at: far, from, why: from, found: null });
    await letters.add([letter('pager')]);

    await letters.useAndRemove(
      ({ from }) => from === 'pager',
      () => letters.add([letter('v2')]),
    );

    expect(await letters.list({ limit: 100 })).toEqual([letter('v2')]);
  });

  it('stay when they cannot be used, and all others stay in any case', async () => {
    const letters = new DeadLetters(await tempDir(), () => 2000);
    const letter = (from: string, why: string) => ({ at: far, from, why, found: null });
    for (let n = 0; n < 12; n += 1) {
      await letters.add([letter(n % 2 === 0 ? 'pager' : 'v2', String(n))]);
    }
    const isOurs = ({ from }: { from: string }) => from === 'pager';
    const before = await letters.list({ limit: 100 });
    const failing = letters.useAndRemove(isOurs, async () => {
      throw new Error('full');
    });

    await expect(failing).rejects.toThrow('full');
    expect(await letters.list({ limit: 100 })).toEqual(before);
    const used: string[] = [];
    const taking = letters.useAndRemove(isOurs, async (taken) => {
      used.push(...taken.map(({ why }) => why));
    });
    const adding = letters.add([letter('pager', 'new')]);
    await Promise.all([taking, adding]);

    const ours = before.filter(isOurs).map(({ why }) => why);
    expect(used).toEqual(ours.toReversed());
    const left = (await letters.list({ limit: 100 })).map(({ why }) => why);
    expect(left).toEqual(['new', ...before.filter((one) => !isOurs(one)).map(({ why }) => why)]);
  });
});
