/** What each server rejects, which of two reasons comes first, and that no value of a parameter costs much. */
import { gzipSync } from 'node:zlib';
import { cleanUps, processorTime } from '@skolo/base/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { extremes } from './extremes.ts';
import { type Asked, bytesOf, exchange, type Reply, send, signed } from './send.ts';
import { type Servers, startServers } from './servers.ts';
import { ofServers, type Refusal, type Row, refusals, rows } from './table.ts';

const atTheEnd = cleanUps();
let servers: Servers;
beforeAll(async () => {
  servers = await startServers(atTheEnd);
});

const elsewhere = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };

/** What makes a request deserve it, besides its sender. */
const deserving: Partial<Record<Refusal, (row: Row) => Partial<Asked>>> = {
  'two lengths': () => ({ more: ['Content-Length: 0', 'Transfer-Encoding: chunked'] }),
  tunnel: () => ({ method: 'CONNECT' }),
  'not a path': () => ({ path: '*' }),
  // Node drops headers after 1000.
  'many headers': () => ({ more: Array(1000).fill('a:b') }),
  'two hosts': () => ({ more: ['Host: 127.0.0.1'] }),
  'wrong host': () => ({ headers: { host: 'evil.example' } }),
  proxy: () => ({ headers: { 'x-forwarded-for': '127.0.1.1' } }),
  browser: () => ({ headers: elsewhere }),
  'foreign rack': () => ({ headers: { 'x-skolo-rack': 'rack5' } }),
  'unknown path': () => ({ path: '/v1/no-such-path' }),
  'wrong method': () => ({ method: 'PATCH' }),
  'no token': ({ sender }) => (sender ? {} : { from: '127.0.0.2' }),
  'wrong type': () => ({ headers: { 'content-type': 'text/plain' } }),
  'too large': ({ most = 0 }) => ({ body: JSON.stringify('x'.repeat(most)) }),
  'another charset': () => ({ headers: { 'content-type': 'application/json; charset=utf-16' } }),
  'unknown compression': () => ({ headers: { 'content-encoding': 'gzip, gzip' } }),
  'damaged compression': () => ({ headers: { 'content-encoding': 'gzip' } }),
  'too large once decompressed': ({ most = 0 }) => ({
    headers: { 'content-encoding': 'gzip' },
    body: gzipSync(JSON.stringify('x'.repeat(most))),
  }),
};

const ofAll = Object.keys(ofServers) as (keyof typeof ofServers)[];
let addresses = 1;

/** A request of the row that deserves all of these. */
async function requestOf(row: Row, all: readonly Refusal[], own: Partial<Asked>): Promise<Asked> {
  const target = servers.at[row.at];
  const asked: Asked = { headers: {}, from: '127.0.0.1', ...row.asked, ...own };
  if (row.at === 'metadata-server') {
    // Each address has its own limit.
    addresses += 1;
    asked.from = `127.0.1.${addresses}`;
  }
  const changes = all.map((each) => deserving[each]?.(row) ?? {});
  const more = changes.flatMap((each) => each.more ?? []);
  const changed = Object.assign({}, asked, ...changes, { headers: asked.headers, more });
  const { 'wrong role': weak, 'too many': greedy } = row.senders ?? {};
  const other = (all.includes('wrong role') && weak) || (all.includes('too many') && greedy);
  const sender = other || row.sender;
  const shown = Object.entries(sender ? await servers.senders[sender](target, changed) : {});
  const isShown = ([name]: [string, string]) =>
    !all.includes('no token') || name === 'host' || name === 'origin';
  const signIn = { ...asked.headers, ...Object.fromEntries(shown.filter(isShown)) };
  if (typeof row.rejects['too many'] === 'number' && all.includes('too many')) {
    let status = 0;
    while (status !== 429) ({ status } = await send(target, { ...asked, headers: signIn }));
  }
  return { ...changed, headers: Object.assign(signIn, ...changes.map((each) => each.headers)) };
}

async function replyTo(row: Row, all: readonly Refusal[], own = {}): Promise<Reply> {
  return await send(servers.at[row.at], await requestOf(row, all, own));
}

function isSame(a: Reply, b: Reply): boolean {
  return a.status === b.status && a.body === b.body;
}

/** No request can deserve both. */
const exclusive: readonly (readonly Refusal[])[] = [
  ['no token', 'wrong role', 'too many'],
  ['unknown path', 'wrong method', 'not a path', 'tunnel'],
  ['wrong type', 'another charset'],
  ['unknown compression', 'damaged compression', 'too large once decompressed'],
  ['too large', 'too large once decompressed'],
];

/** Other ways to write a path, of which some servers accept some. */
const spellings: readonly ((path: string) => string)[] = [
  (path) => path.toUpperCase(),
  (path) => `${path}/`,
  (path) => `/${path}`,
  (path) => `/.${path}`,
  (path) => `/x/..${path}`,
  (path) => `/x/%2e%2e${path}`,
  (path) => path.replace('/v1/', '/v1%2f'),
  (path) => path.replace('/v1/', '/v1\\'),
  (path) => path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
  (path) => `${path}#`,
  (path) => `${path}?`,
  (path) => `http://127.0.0.1${path}`,
  (path) => `http://127.0.0.1/x\\..${path}#`,
  (path) => `http://[::1]@127.0.0.1${path}`,
  (path) => `ftp://127.0.0.1${path}`,
  (path) => `//evil.example${path}`,
  (path) => `${path};a=b`,
  (path) => `${path}%00`,
  (path) => `${path}/%zz`,
  (path) => `${path}/../__proto__`,
  (path) => `${path}?__proto__[a]=1&constructor=1&${'limit=1&'.repeat(100)}%zz=%ff`,
];

/** Deep, of types and characters that JSON does not have, with names that mean something to JavaScript. */
const oddBodies: readonly ((body: string) => string | Buffer)[] = [
  () => '['.repeat(100_000) + ']'.repeat(100_000),
  () => '{"a":'.repeat(100_000),
  () => '1e400',
  (body) => `\ufeff${body}`,
  (body) => body.replace('{', '{"__proto__":{"role":"admin"},"constructor":1,'),
  (body) => body.replace('"a"', '"\\ud800"'),
  (body) => Buffer.from(body.replace('"a"', '"\u00ff"'), 'latin1'),
  (body) => Buffer.from(body, 'utf16le'),
];

describe.each(rows)('$name', (row) => {
  const order = new Set([...ofAll, ...(row.order ?? []), ...refusals]);
  const applying = [...order].filter((each) => typeof row.rejects[each] === 'number');
  const pairs = applying
    .flatMap((first, i) => applying.slice(i + 1).map((second) => [first, second] as const))
    .filter((pair) => !exclusive.some((group) => pair.every((each) => group.includes(each))));

  it.each([...ofAll, ...refusals])('%s', async (refusal) => {
    const expected = row.rejects[refusal];
    const { status, head } = await replyTo(row, [refusal]);

    expect(status).toBe(typeof expected === 'number' ? expected : row.passes);
    if (status === 405) expect(head).toMatch(/^allow: [A-Z, ]+$/im);
  });

  it('gives the first of two reasons', async () => {
    const wrong: string[] = [];
    const alone = new Map<Refusal, Reply>();
    for (const [first, second] of pairs) {
      const one = alone.get(first) ?? (await replyTo(row, [first]));
      alone.set(first, one);
      const both = await replyTo(row, [first, second]);
      if (isSame(both, one)) continue;
      wrong.push(`${first} + ${second}: ${both.status} ${both.body.slice(0, 150)}`);
    }

    expect(wrong).toEqual([]);
  });

  it('is not reached without a sign-in by any spelling of its path, or by HEAD', async () => {
    const [right, unsigned] = [await replyTo(row, []), await replyTo(row, ['no token'])];
    const { path } = row.asked;
    const ways = [{ method: 'HEAD' }, ...spellings.map((spell) => ({ path: spell(path) }))];
    const reached: string[] = [];
    for (const way of ways) {
      const [signedIn, not] = [await replyTo(row, [], way), await replyTo(row, ['no token'], way)];
      if (not.status >= 500 && not.status !== row.passes) reached.push(`${not.status}`);
      const isPassed = signedIn.status === right.status && signedIn.body === right.body;
      if (isPassed && !isSame(not, unsigned)) reached.push(`${JSON.stringify(way)} ${not.status}`);
    }

    expect(reached).toEqual([]);
  });

  it.each([false, true])(
    'reads the next request as it was sent, after a rejected body, in chunks: %s',
    async (inChunks) => {
      if (row.asked.body === undefined) return;
      const [target, hidden] = [servers.at[row.at], bytesOf({ ...row.asked, ...get('/hidden') })];
      const wrong: string[] = [];
      for (const reason of applying.filter((each) => each !== 'two lengths')) {
        const first = await requestOf(row, [reason], { body: hidden });
        const next = bytesOf({ ...first, ...get('/v1/next'), more: [] });
        const all = await exchange(
          target,
          bytesOf(first, { closes: false, inChunks }) + next,
          first.from,
        );
        const statuses = [...all.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) =>
          Number(status),
        );
        const isFirst = reason === 'too large' || statuses[0] === row.rejects[reason];
        if (!isFirst || statuses.length > 2) wrong.push(`${reason}: ${statuses}`);
      }

      expect(wrong).toEqual([]);
    },
  );
});

it.each(rows.filter(({ asked }) => asked.body))(
  '$name: an odd body is never a failure of ours',
  async (row) => {
    const failed: string[] = [];
    for (const [at, odd] of oddBodies.entries()) {
      const { status } = await replyTo(row, [], { body: odd(`${row.asked.body}`) });
      if (status >= 500 && status !== row.passes) failed.push(`${at}: ${status}`);
    }

    expect(failed).toEqual([]);
  },
);

function get(path: string): Asked {
  return { method: 'GET', path, headers: {}, from: '127.0.0.1' };
}

const signedRows = rows.filter(({ sender }) => sender === 'agent' || sender === 'services');
it.each(signedRows)(
  '$name: the body is the signed one, even if one of them is empty',
  async (row) => {
    const [target, signer] = [servers.at[row.at], servers.signers[row.sender as 'agent']];
    const asked: Asked = { headers: {}, from: '127.0.0.1', ...row.asked };
    const body = `${asked.body ?? ''}`;
    const statuses: number[] = [];
    for (const [signedBody, sent] of [
      [body, body],
      [body, ''],
      ['', body],
      ['{}', body],
    ] as const) {
      const own = await signed(target, asked, signer, signedBody);
      const headers = { ...asked.headers, ...own };
      statuses.push((await send(target, { ...asked, headers, body: sent })).status);
    }

    expect(statuses).toEqual([row.passes, 401, 401, 401]);
  },
);

// A viewer may be anybody in a network. These servers share this process.
it.each(extremes)('$at: $where costs little, whatever it asks for', async (extreme) => {
  const mostMs = 400;
  const target = servers.at[extreme.at];
  const wrong: string[] = [];
  for (const path of extreme.paths) {
    const asked: Asked = { method: 'GET', path, headers: {}, from: '127.0.0.1' };
    const headers = await servers.senders[extreme.sender](target, asked);
    const { ms, result } = await processorTime(mostMs, () => send(target, { ...asked, headers }));
    const { status, body } = result;
    const isWell = status < 500 || status === 503;
    if (isWell && ms < mostMs && body.length < 500_000) continue;
    wrong.push(`${path.slice(0, 100)}: ${status}, ${Math.round(ms)} ms, ${body.length} bytes`);
  }

  expect(wrong).toEqual([]);
});

// Last, because the service has stopped then.
it('a service that stops ends its streams', async () => {
  const { port, stop } = servers.at['machine-state'];
  const headers = await servers.senders.view();
  const response = await fetch(`http://127.0.0.1:${port}/v1/changes`, { headers });
  const text = response.text();
  await stop();

  expect([response.status, await text]).toEqual([200, expect.stringMatching(/^event: /)]);
});
