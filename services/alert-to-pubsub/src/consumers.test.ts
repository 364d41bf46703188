/** The consumers of packages/alerts/consumers, against Google's pstest, while the service is killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { tempDir } from '@skolo/base/testing';
import { peer, startPstest } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { startAlertProcess } from './testing/alert-process.ts';
import { rackYaml } from './testing/lab.ts';

const folder = join(import.meta.dirname, '../../../packages/alerts/consumers');
const python = peer('python3');
const Pulled = z.object({
  receivedMessages: z
    .array(
      z.object({
        ackId: z.string(),
        message: z.object({ attributes: z.record(z.string(), z.string()) }),
      }),
    )
    .default([]),
});

/** What it has printed. */
function printed(child: ChildProcess): string[] {
  const lines: string[] = [];
  if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  onTestFinished(async () => {
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  });
  return lines;
}

async function startTopic(endpoint: string, names: readonly string[]) {
  const url = `http://${endpoint}`;
  async function ask(method: string, path: string, body: unknown): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    const request = { method, headers, body: JSON.stringify(body) };
    const response = await fetch(`${url}/v1/projects/my-project/${path}`, request);
    expect(response.status, path).toBe(200);
    return response.json();
  }
  // The topic first: what is sent before there is a subscription reaches no subscriber.
  await ask('PUT', 'topics/prometheus-alerts', {});
  for (const name of names) {
    const topic = 'projects/my-project/topics/prometheus-alerts';
    await ask('PUT', `subscriptions/${name}`, { topic, enableMessageOrdering: true });
  }
  return ask;
}

it('consumers of 15 lines print each change once, also when the service is killed', async ({
  skip,
}) => {
  if (!python) return skip('python3 is not installed');
  const pstest = await startPstest();
  if (!pstest) return skip('pstest is not built');
  onTestFinished(() => pstest.close());
  const ask = await startTopic(pstest.endpoint, ['python', 'node', 'raw']);
  const env = { ...process.env, PUBSUB_EMULATOR_HOST: pstest.endpoint };
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  const start = (program: string, ...args: string[]) =>
    printed(spawn(program, args, { env, stdio: [...stdio] }));
  const url = `http://${pstest.endpoint}`;
  const consumers = [
    start(python, join(folder, 'consumer.py'), url, 'my-project', 'python'),
    start(process.execPath, join(folder, 'consumer.mjs'), 'my-project', 'node'),
  ];
  const dir = await tempDir();
  await writeFile(join(dir, 'rack.yaml'), rackYaml(pstest.endpoint, ''));
  let service = await startAlertProcess(dir);
  async function post(alertname: string, endsAt: string) {
    const alert = { labels: { alertname }, annotations: { summary: 'it is hot' }, endsAt };
    const body = JSON.stringify([alert]);
    const response = await fetch(`${service.url}/api/v2/alerts`, { method: 'POST', body });
    expect(response.status).toBe(200);
  }

  await post('Hot', '2099-01-01T00:00:00Z');
  await post('Hot', '2026-01-01T00:00:00Z');
  const pair = ['firing rack4 Hot it is hot', 'resolved rack4 Hot it is hot'];
  for (const lines of consumers) await expect.poll(() => lines).toEqual(pair);
  await service.end('SIGKILL');
  service = await startAlertProcess(dir);
  await post('Cold', '2099-01-01T00:00:00Z');

  const all = [...pair, 'firing rack4 Cold it is hot'];
  for (const lines of consumers) await expect.poll(() => lines).toEqual(all);
  // What the consumers have passed over: the last pair came again, each with its id.
  const ids: string[] = [];
  await expect
    .poll(async () => {
      const found = await ask('POST', 'subscriptions/raw:pull', { maxMessages: 100 });
      for (const { ackId, message } of Pulled.parse(found).receivedMessages) {
        if (message.attributes.kind === 'transition') ids.push(message.attributes.id ?? '');
        // The next message with its ordering key comes after that.
        await ask('POST', 'subscriptions/raw:acknowledge', { ackIds: [ackId] });
      }
      return ids.length;
    })
    .toBeGreaterThan(3);
  expect(new Set(ids).size).toBe(3);
});

it.each(['consumer.py', 'consumer.mjs'])('%s has 15 lines', async (name) => {
  const lines = (await readFile(join(folder, name), 'utf8')).trimEnd().split('\n');

  expect(lines.length).toBeLessThanOrEqual(15);
});
