/** What each server rejects, and which of two reasons comes first. */
import { cleanUps } from '@skolo/base/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Asked, type Reply, send } from './send.ts';
import { type Servers, startServers } from './servers.ts';
import { type Refusal, type Row, refusals, rows } from './table.ts';

const atTheEnd = cleanUps();
let servers: Servers;
beforeAll(async () => {
  servers = await startServers(atTheEnd);
});

const elsewhere = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };

/** What makes a request deserve it, besides its sender. */
const deserving: Partial<Record<Refusal, (row: Row) => Partial<Asked>>> = {
  'two lengths': () => ({ more: ['Content-Length: 0', 'Transfer-Encoding: chunked'] }),
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
  'damaged compression': () => ({ headers: { 'content-encoding': 'gzip' } }),
};

let addresses = 1;

/** The reply to a request that deserves all of these. */
async function replyTo(row: Row, ...all: Refusal[]): Promise<Reply> {
  const target = servers.at[row.at];
  const { 'wrong role': weak = row.sender, 'too many': greedy = row.sender } = row.senders ?? {};
  const asked: Asked = { headers: {}, from: '127.0.0.1', ...row.asked };
  if (row.at === 'metadata-server') {
    addresses += 1;
    asked.from = `127.0.1.${addresses}`;
  }
  const changes = all.map((each) => deserving[each]?.(row) ?? {});
  const more = changes.flatMap((each) => each.more ?? []);
  const changed = Object.assign({}, asked, ...changes, { headers: asked.headers, more });
  const isOneOf = (...these: Refusal[]) => these.some((each) => all.includes(each));
  const strong = isOneOf('too many') ? greedy : row.sender;
  const sender = isOneOf('wrong role') ? weak : strong;
  const shown = Object.entries(sender ? await servers.senders[sender](target, changed) : {});
  const isSignIn = ([name]: [string, string]) => name !== 'host' && name !== 'origin';
  const signIn = Object.fromEntries(
    shown.filter((header) => !isOneOf('no token') || !isSignIn(header)),
  );
  const headers = Object.assign({}, asked.headers, signIn, ...changes.map((each) => each.headers));
  if (typeof row.rejects['too many'] === 'number' && isOneOf('too many'))
    await useUp(target, { ...asked, headers: { ...asked.headers, ...signIn } });
  return await send(target, { ...changed, headers });
}

async function useUp(target: Servers['at'][Row['at']], asked: Asked): Promise<void> {
  let status = 0;
  while (status !== 429) status = (await send(target, asked)).status;
}

/** No request can deserve both. */
const exclusive: readonly (readonly Refusal[])[] = [
  ['no token', 'wrong role', 'too many'],
  ['unknown path', 'wrong method'],
];

describe.each(rows)('$name', (row) => {
  const order = [...(row.order ?? []), ...refusals.filter((each) => !row.order?.includes(each))];
  const applying = order.filter((each) => typeof row.rejects[each] === 'number');
  const pairs = applying
    .flatMap((first, i) => applying.slice(i + 1).map((second) => [first, second] as const))
    .filter((pair) => !exclusive.some((group) => pair.every((each) => group.includes(each))));

  it.each(refusals)('%s', async (refusal) => {
    const expected = row.rejects[refusal];
    const { status } = await replyTo(row, refusal);

    expect(status).toBe(typeof expected === 'number' ? expected : row.passes);
  });

  it('gives the first of two reasons', async () => {
    const wrong: string[] = [];
    for (const [first, second] of pairs) {
      const [both, one] = [await replyTo(row, first, second), await replyTo(row, first)];
      if (both.status === one.status && both.body === one.body) continue;
      wrong.push(`${first} + ${second}: ${both.status} ${both.body.slice(0, 150)}`);
    }

    expect(wrong).toEqual([]);
  });
});
