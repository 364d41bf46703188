import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { listen, tempDir } from '@skolo/base/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startServer } from '../testing/fixtures.ts';
import { smallRack } from '../testing/small-rack.ts';
import { Webhook, WebhookBody, type WebhookDeps } from './webhook.ts';

interface Receiver {
  url: string;
  received: { body: WebhookBody; headers: IncomingMessage['headers'] }[];
  /** Status of the next answers; then 200. */
  statuses: number[];
  instead?: (response: ServerResponse) => void;
}

async function startReceiver(): Promise<Receiver> {
  const receiver: Receiver = { url: '', received: [], statuses: [] };
  const url = await startServer((request, response) => {
    void text(request).then((body) => {
      receiver.received.push({
        body: WebhookBody.parse(JSON.parse(body)),
        headers: request.headers,
      });
      if (receiver.instead) return receiver.instead(response);
      response.writeHead(receiver.statuses.shift() ?? 200, { location: '/elsewhere' }).end('{}');
    });
  });
  receiver.url = `${url}/hook`;
  return receiver;
}

function webhookTo(settings: string, deps: Partial<WebhookDeps> & { dir?: string } = {}) {
  const { dir, ...rest } = deps;
  const rack = smallRack({ settings: `{ webhook: ${settings} }`, ...(dir && { dir }) });
  const outcomes: string[] = [];
  const lines: string[] = [];
  const say = (fields: object, message: string) =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  const all: WebhookDeps = {
    rack: () => rack,
    log: { warn: say },
    emit: (event) => void (event.type === 'webhook-message' && outcomes.push(event.outcome)),
    clock: { now: () => Date.parse('2026-11-20T12:00:00Z') },
    times: { firstMs: 1, maxMs: 60_000 },
    ...rest,
  };
  const webhook = new Webhook(all);
  onTestFinished(() => webhook.close());
  return { webhook, outcomes, lines, deps: all };
}

const change = {
  kind: 'change',
  run: 'r1',
  device: 'switch-1',
  version: 'abc',
  diff: '+a\n',
  summary: 'switch-1: changed (+1 -0)',
} as const;

describe('Webhook', () => {
  it('posts what happened', async () => {
    const { url, received } = await startReceiver();
    const { webhook, outcomes } = webhookTo(`{ url: "${url}" }`);

    webhook.send(change);

    await expect.poll(() => outcomes).toEqual(['sent']);
    expect(received.map(({ body }) => body)).toEqual([
      { rack: 'rack4', at: '2026-11-20T12:00:00.000Z', ...change },
    ]);
    expect(received[0]?.headers).toMatchObject({ 'content-type': 'application/json' });
    expect(received[0]?.headers.authorization).toBeUndefined();
  });

  it('posts only what rack.yaml asks for, and nothing without a webhook', async () => {
    const { url, received } = await startReceiver();
    const { webhook, outcomes } = webhookTo(`{ url: "${url}", on: [run] }`);
    const none = new Webhook({
      rack: () => smallRack(),
      log: { warn: () => undefined },
      emit: () => void outcomes.push('no'),
      clock: { now: Date.now },
    });

    none.send(change);
    webhook.send(change);
    webhook.send({ kind: 'failure', device: 'switch-1', failure: 'auth' });
    webhook.send({ kind: 'run', run: 'r1', summary: '1 changed' });

    await expect.poll(() => outcomes).toEqual(['sent']);
    await none.close();
    expect(received.map(({ body }) => body.kind)).toEqual(['run']);
  });

  it('tries again, with the same key, and gives up after five tries', async () => {
    const receiver = await startReceiver();
    const { webhook, outcomes, lines } = webhookTo(`{ url: "${receiver.url}" }`);

    receiver.statuses = [500, 429, 503, 502];
    webhook.send(change);
    await expect.poll(() => outcomes).toEqual(['sent']);
    receiver.statuses = [500, 500, 500, 500, 500];
    webhook.send(change);
    await expect.poll(() => outcomes).toEqual(['sent', 'failed']);

    const keys = receiver.received.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toHaveLength(10);
    expect(new Set(keys).size).toBe(2);
    expect(lines).toEqual([
      expect.stringMatching(/^webhook message not delivered .*"tries":5.*responds with 500/),
    ]);
  });

  it.each([
    [401, 'fix the token'],
    [404, 'fix `url`'],
    [302, 'redirects are not followed'],
    [400, 'responds with 400'],
  ])('does not insist after %i', async (status, hint) => {
    const receiver = await startReceiver();
    receiver.statuses = [status];
    const { webhook, outcomes, lines } = webhookTo(`{ url: "${receiver.url}" }`);

    webhook.send(change);

    await expect.poll(() => outcomes).toEqual(['failed']);
    expect(receiver.received).toHaveLength(1);
    expect(lines.join()).toContain(hint);
  });

  it('gives up on a receiver that never answers, and goes on with the next message', async () => {
    const receiver = await startReceiver();
    receiver.instead = () => undefined;
    const settings = `{ url: "${receiver.url}" }`;
    const { webhook, outcomes, lines, deps } = webhookTo(settings, { timeoutSeconds: 0.5 });

    webhook.send(change);
    await expect.poll(() => outcomes).toEqual(['failed']);
    delete receiver.instead;
    deps.timeoutSeconds = 60;
    webhook.send(change);
    await expect.poll(() => outcomes).toEqual(['failed', 'sent']);

    expect(lines.join()).toContain('no response within 0.5 s; it may have arrived 3 times');
    expect(receiver.received).toHaveLength(4);
  });

  it('reports that the receiver is down', async () => {
    const server = createServer();
    const port = await listen(server);
    server.close();
    await once(server, 'close');
    const settings = `{ url: "http://127.0.0.1:${port}/secret-path" }`;
    const { webhook, outcomes, lines } = webhookTo(settings);

    webhook.send(change);

    await expect.poll(() => outcomes).toEqual(['failed']);
    expect(lines.join()).toContain(`127.0.0.1:${port}) cannot be reached: connect ECONNREFUSED`);
    expect(lines.join()).not.toContain('secret-path');
  });

  it('drops the oldest of too many, and logs it once', async () => {
    const receiver = await startReceiver();
    const held: ServerResponse[] = [];
    receiver.instead = (response) => void held.push(response);
    const { webhook, outcomes, lines } = webhookTo(`{ url: "${receiver.url}" }`);

    webhook.send({ ...change, run: 'first' });
    await expect.poll(() => held.length).toBe(1);
    for (let index = 0; index < 110; index += 1) webhook.send({ ...change, run: `r${index}` });
    delete receiver.instead;
    held[0]?.end();
    await expect.poll(() => outcomes.filter((outcome) => outcome === 'sent').length).toBe(101);

    expect(outcomes.filter((outcome) => outcome === 'dropped')).toHaveLength(10);
    expect(receiver.received.map(({ body }) => body.run).slice(0, 2)).toEqual(['first', 'r10']);
    expect(lines).toHaveLength(1);
  });

  it('ends at once, whatever it waits for', async () => {
    const receiver = await startReceiver();
    receiver.instead = () => undefined;
    const { webhook, outcomes } = webhookTo(`{ url: "${receiver.url}" }`);

    webhook.send(change);
    webhook.send(change);
    await expect.poll(() => receiver.received.length).toBe(1);
    await webhook.close();
    webhook.send(change);

    expect(outcomes).toEqual(['failed', 'dropped']);
  });

  it('fills the template of rack.yaml, which has the names of alert sinks', async () => {
    const bodies: string[] = [];
    const types: (string | undefined)[] = [];
    const url = await startServer((request, response) => {
      types.push(request.headers['content-type']);
      void text(request).then((body) => {
        bodies.push(body);
        response.end();
      });
    });
    const template = `'{"key": "{{fingerprint}}", "do": "{{action}}", "text": "{{labels.alertname}} in {{location}}: {{annotations.summary}}", "diff": {{diff}}, "{{kind}}": {{labels}}}'`;
    const { webhook, outcomes } = webhookTo(
      `{ url: "${url}/", body: ${template}, headers: { x-rack: a } }`,
    );

    webhook.send(change);
    webhook.send({ kind: 'failure', device: 'pdu-1', failure: 'auth', summary: 'pdu-1: "no"' });

    await expect.poll(() => outcomes).toEqual(['sent', 'sent']);
    expect(types).toEqual(['application/json', 'application/json']);
    expect(bodies.map((body) => JSON.parse(body))).toEqual([
      {
        key: 'backup-rack4-switch-1',
        do: 'trigger',
        text: 'ConfigurationChanged in rack4: switch-1: changed (+1 -0)',
        diff: '+a\n',
        change: { alertname: 'ConfigurationChanged', severity: 'info', device: 'switch-1' },
      },
      {
        key: 'backup-rack4-pdu-1',
        do: 'trigger',
        text: 'BackupFailed in rack4: pdu-1: "no"',
        diff: null,
        failure: { alertname: 'BackupFailed', severity: 'warning', device: 'pdu-1' },
      },
    ]);
  });

  it('shows its token to https and to this computer only', async () => {
    const dir = await tempDir();
    await writeFile(join(dir, 'hook'), 'canary-token\n');
    const receiver = await startReceiver();
    const near = webhookTo(`{ url: "${receiver.url}", token: hook }`, { dir });

    near.webhook.send(change);

    await expect.poll(() => near.outcomes).toEqual(['sent']);
    expect(receiver.received[0]?.headers.authorization).toBe('Bearer canary-token');
    expect(near.lines.join()).not.toContain('canary');
    expect(() => webhookTo('{ url: "http://192.0.2.1/hook", token: hook }')).toThrow(
      /requires https/,
    );
  });

  it('cuts a long difference at the end of a line, and marks it', async () => {
    const { url, received } = await startReceiver();
    const { webhook, outcomes } = webhookTo(`{ url: "${url}" }`);
    const line = `+${'ü'.repeat(50)}\n`;

    webhook.send({ ...change, diff: line.repeat(10_000) });
    webhook.send({ ...change, diff: 'ü'.repeat(100_000) });
    await expect.poll(() => outcomes).toEqual(['sent', 'sent']);

    const [lines, long] = received.map(({ body }) => body.diff ?? '');
    expect(Buffer.byteLength(lines ?? '')).toBeLessThanOrEqual(64 * 1024);
    expect(lines).toMatch(/ü\n… cut: \d+ bytes more\n$/);
    expect(Buffer.byteLength(long ?? '')).toBeLessThanOrEqual(64 * 1024);
  });
});
