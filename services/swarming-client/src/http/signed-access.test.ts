/** Attacks on the status port of an agent, over real sockets, by whoever hears what the services send. */

import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { text } from 'node:stream/consumers';
import {
  ApiError,
  type ClientOptions,
  challengeHeader,
  createClient,
  createSigner,
  route,
} from '@skolo/api';
import { agentPublicKey, newAgentKey, Secret } from '@skolo/base/secrets';
import { listen } from '@skolo/base/testing';
import { AuditLog, bindRoutes, createLogger, httpApp } from '@skolo/common/light';
import { fakeClock } from '@skolo/common/testing';
import { Registry } from 'prom-client';
import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { signedAccess } from './signed-access.ts';

const rackKey = newAgentKey();
const otherKey = newAgentKey();

const api = {
  order: route({
    method: 'put',
    path: '/v1/orders',
    summary: 'Changes something',
    role: 'operate',
    query: z.object({ now: z.string().optional() }),
    body: z.strictObject({ why: z.string() }),
    mostBodyBytes: 1000,
    audits: { elsewhere: 'a test' },
    answers: { 202: undefined },
  }),
  clear: route({
    method: 'post',
    path: '/v1/clear',
    summary: 'Changes something else',
    role: 'operate',
    body: z.strictObject({ why: z.string() }),
    audits: { elsewhere: 'a test' },
    answers: { 202: undefined },
  }),
  log: route({
    method: 'get',
    path: '/v1/log',
    summary: 'Shows something',
    role: 'view',
    answers: { 200: z.object({ lines: z.array(z.string()) }) },
  }),
};

const body = { why: 'fan' };

interface Started {
  url: string;
  done: string[];
  clock: ReturnType<typeof fakeClock>;
}

/** The status port of an agent, as far as sign-in goes. */
async function startAgent(
  { machine = 'rpi-1', rack = 'rack4', anonymousRead = [] as string[] } = {},
  clock = fakeClock(0),
): Promise<Started> {
  const machinePart = { rack, agent: { publicKey: agentPublicKey(rackKey), anonymousRead } };
  const done: string[] = [];
  const metrics = new Registry();
  const { listener } = httpApp(
    {
      log: createLogger({ service: 'test', level: 'silent' }),
      metrics,
      // No route here is audited.
      audit: new AuditLog('/dev/null', { clock, metrics, degraded: { raise() {}, clear() {} } }),
      access: signedAccess({ machine, machinePart: () => machinePart, clock }),
      rack: { rack: { name: rack } },
    },
    bindRoutes(api, {
      order({ caller, body: { why } }) {
        done.push(`order by ${caller?.name}: ${why}`);
        return { status: 202 };
      },
      clear() {
        done.push('clear');
        return { status: 202 };
      },
      log: () => ({ status: 200, body: { lines: ['a'] } }),
    }),
  );
  return { url: await serve(listener), done, clock };
}

interface Heard {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A look-alike at a machine's address: it asks the real agent for challenges, hands them out, and keeps what it gets. */
async function startLookAlike(real: Started): Promise<{ url: string; heard: Heard[] }> {
  const heard: Heard[] = [];
  const url = await serve(async (request, response) => {
    const { method = '', url: path = '', headers } = request;
    heard.push({ method, path, headers, body: await text(request) });
    const challenge = await challengeOf(real);
    response.writeHead(401, { [challengeHeader]: challenge }).end();
  });
  return { url, heard };
}

async function serve(handler: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createServer(handler))}`;
}

async function challengeOf({ url }: Pick<Started, 'url'>): Promise<string> {
  return (await request(url).get('/v1/log')).get(challengeHeader) ?? '';
}

function clientOf(
  { url }: Pick<Started, 'url'>,
  { key = rackKey, machine = 'rpi-1', rack = 'rack4' } = {},
  options: Partial<ClientOptions> = {},
) {
  const signer = createSigner(createPrivateKey(key.reveal()), { rack, machine });
  return createClient(api, { baseUrl: url, signer, timeoutMs: 60_000, ...options });
}

/** What a service sent to the look-alike at `rpi-1`, signed, which nobody has used yet. */
async function stolen(real: Started): Promise<Heard> {
  const lookAlike = await startLookAlike(real);
  await clientOf(lookAlike)
    .order({ body })
    .catch(() => undefined);
  const found = lookAlike.heard.find(({ headers }) => headers.signature !== undefined);
  if (found === undefined) throw new Error('nothing was signed');
  return found;
}

async function replay({ url }: Pick<Started, 'url'>, heard: Heard, change: Partial<Heard> = {}) {
  const { method, path, headers, body } = { ...heard, ...change };
  const names = ['content-digest', 'signature', 'signature-input'];
  const sent = [...names, 'x-skolo-rack', 'x-skolo-machine'].flatMap((name) =>
    headers[name] === undefined ? [] : [[name, `${headers[name]}`] as const],
  );
  const again = request(url)[method === 'PUT' ? 'put' : 'post'](path);
  return await again.set(Object.fromEntries(sent)).type('json').send(body);
}

/** It is answered with 401, and this reason. */
async function isRejected(real: Started, heard: Heard, change: Partial<Heard>, why: string) {
  const answer = await replay(real, heard, change);
  expect(answer).toMatchObject({ status: 401, text: expect.stringContaining(why) });
}

async function rejection(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'done',
    (error: unknown) => (error instanceof ApiError ? error.problem.detail : error),
  );
}

describe('a service', () => {
  it('signs with the challenge of the last answer, and asks for one where it has none', async () => {
    const agent = await startAgent();
    const requests: string[] = [];
    const client = clientOf(
      agent,
      {},
      {
        fetch: (url, init) => {
          requests.push(init.headers.signature === undefined ? 'unsigned' : 'signed');
          return fetch(url, init);
        },
      },
    );

    await client.order({ body });
    await client.order({ body, query: { now: 'yes & no' } });
    const { lines } = await client.log();

    expect(agent.done).toEqual(Array(2).fill('order by access.agents: fan'));
    expect(lines).toEqual(['a']);
    expect(requests).toEqual(['unsigned', 'signed', 'signed', 'signed']);
  });

  it('never uses a challenge for two requests at once', async () => {
    const agent = await startAgent();
    const client = clientOf(agent);
    await client.order({ body });

    await Promise.all(Array.from({ length: 10 }, () => client.order({ body })));

    expect(agent.done).toHaveLength(11);
  });

  it('tries once more where its challenge has become too old, and not twice', async () => {
    const agent = await startAgent();
    const client = clientOf(agent);
    await client.order({ body });
    agent.clock.pass(61_000);
    await client.order({ body });
    const lookAlike = await startLookAlike(agent);

    await rejection(clientOf(lookAlike).order({ body }));

    expect(agent.done).toHaveLength(2);
    expect(lookAlike.heard).toHaveLength(2);
  });

  it('signs nothing for what sends no challenge, and says that it is no agent', async () => {
    const sent: unknown[] = [];
    const url = await serve((request, response) => {
      sent.push(request.headers.signature);
      response.writeHead(401).end();
    });

    expect(await rejection(clientOf({ url }).order({ body }))).toMatch(
      /the response \(401, nothing\) is not from this service/,
    );
    expect(sent).toEqual([undefined]);
  });
});

describe('a look-alike at the address of a machine', () => {
  it('gets no token, and nothing that is valid at any other agent', async () => {
    const agent = await startAgent();
    const neighbour = await startAgent({ machine: 'rpi-2' }, agent.clock);
    const heard = await stolen(agent);

    expect(JSON.stringify(heard)).not.toContain('authorization');
    const why = 'this program has not issued the challenge since it last started';
    await isRejected(neighbour, heard, {}, why);
    expect(neighbour.done).toEqual([]);
  });

  it('cannot have a service sign for another agent with the challenge of that', async () => {
    const agent = await startAgent({ machine: 'rpi-2' });

    const heard = await stolen(agent);

    expect(heard.headers['x-skolo-machine']).toBe('rpi-1');
    await isRejected(agent, heard, {}, 'signed for a machine other than rpi-2 of rack4');
    const changed = { ...heard.headers, 'x-skolo-machine': 'rpi-2' };
    expect(await replay(agent, heard, { headers: changed })).toMatchObject({ status: 401 });
    expect(agent.done).toEqual([]);
  });

  it('can at most deliver the order to the agent that it is for, once', async () => {
    const agent = await startAgent();
    const heard = await stolen(agent);

    expect((await replay(agent, heard)).status).toBe(202);
    await isRejected(agent, heard, {}, 'the challenge has already been used');
    expect(agent.done).toHaveLength(1);
  });

  it.each<[string, Partial<Heard>]>([
    ['another method and path', { method: 'POST', path: '/v1/clear' }],
    ['another query', { path: '/v1/orders?now=1' }],
    ['an empty query', { path: '/v1/orders?' }],
    ['another body', { body: '{"why":"another"}' }],
  ])('cannot use it with %s', async (_, change) => {
    const agent = await startAgent();
    const heard = await stolen(agent);

    const { status } = await replay(agent, heard, change);

    // An empty query is the same for RFC 9421, section 2.2.7.
    expect(status).toBe(change.path === '/v1/orders?' ? 202 : 401);
    expect(agent.done).toHaveLength(status === 202 ? 1 : 0);
  });

  it('cannot use it for an agent of the same name in another rack', async () => {
    const clock = fakeClock(0);
    const agent = await startAgent({ rack: 'rack5' }, clock);
    const heard = await stolen(agent);

    expect(await replay(agent, heard)).toMatchObject({ status: 421 });
    const changed = { ...heard.headers, 'x-skolo-rack': 'rack5' };
    expect(await replay(agent, heard, { headers: changed })).toMatchObject({ status: 401 });
    expect(agent.done).toEqual([]);
  });

  it('cannot use it after 60 s of uptime, whatever the wall clock is', async () => {
    const agent = await startAgent();
    const heard = await stolen(agent);

    agent.clock.pass(61_000);
    agent.clock.setWall(0);

    await isRejected(agent, heard, {}, 'the challenge is older than 60 s');
  });

  it('cannot use it after the agent was restarted', async () => {
    const agent = await startAgent();
    const heard = await stolen(agent);
    await replay(agent, heard);

    const restarted = await startAgent({}, agent.clock);

    expect(await replay(restarted, heard)).toMatchObject({ status: 401 });
    expect(restarted.done).toEqual([]);
  });
});

describe('an agent', () => {
  it('does nothing for another key, not even one that its own machine has', async () => {
    const agent = await startAgent();
    // All that a task finds on the machine: the public half, and keys that it makes.
    const { privateKey } = generateKeyPairSync('ed25519');
    const own = new Secret(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());

    for (const key of [otherKey, own]) {
      expect(await rejection(clientOf(agent, { key }).order({ body }))).toMatch(
        /^the signature is invalid: it was created with a different key/,
      );
    }
    expect(agent.done).toEqual([]);
  });

  it('accepts the one form only', async () => {
    const agent = await startAgent();
    const heard = await stolen(agent);
    const { headers } = heard;
    const input = `${headers['signature-input']}`;
    const wrong: IncomingHttpHeaders[] = [
      { 'signature-input': input.replace('skolo=', 'sig1=') },
      { 'signature-input': input.replace(' "content-digest"', '') },
      { 'signature-input': input.replace('"@method" "@path"', '"@path" "@method"') },
      { 'signature-input': `${input};created=1` },
      { 'signature-input': `${input}, ${input}` },
      { signature: `${headers.signature}, ${headers.signature}` },
      { signature: 'skolo=::' },
      { 'content-digest': `sha-512=:x:, ${headers['content-digest']}` },
    ];

    for (const change of wrong) {
      const why =
        'signature-input' in change
          ? 'the format of Signature-Input is wrong'
          : 'the Content-Digest or Signature header is malformed';
      await isRejected(agent, heard, { headers: { ...headers, ...change } }, why);
    }
    expect(agent.done).toEqual([]);
  });
});
