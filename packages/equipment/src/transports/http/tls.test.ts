/** Whether the key of an https device is pinned, or its certificate is verified, over both ways to it. */
import { connect } from 'node:net';
import { Secret } from '@skolo/base/secrets';
import { serveExampleTest } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { deps } from '../testing/targets.ts';
import { httpTo } from './http.ts';

const login = { username: 'root', password: new Secret('calvin'), legacySsh: false };

it.each([
  ['the name', 'DNS:*.example.test', 'bmc.example.test', true],
  ['the IPv4 address', 'IP:127.0.0.1', '127.0.0.1', true],
  ['the IPv6 address', 'IP:fd00:99::8', 'fd00:99::8', true],
  ['another name', 'DNS:*.example.test', 'bmc.example.org', false],
  ['another address', 'IP:127.0.0.2', '127.0.0.1', false],
  ["this computer's own name", 'DNS:localhost', '127.0.0.1', false],
])(
  'a trusted certificate for %s, through another host, is verified for the address only',
  async (_, certified, address, isVerified) => {
    const port = await serveExampleTest((_, response) => response.end('on'), certified);

    expect(await pinnedAfter(address, port, async () => connect(port, '127.0.0.1'))).toBe(
      isVerified ? 0 : 1,
    );
  },
);

it.each([
  ['its address', 'IP:127.0.0.1', 0],
  ["this computer's own name", 'DNS:localhost', 1],
])('a trusted certificate for %s is verified for the address directly', async (_, name, keys) => {
  const port = await serveExampleTest((_, response) => response.end('on'), name);

  expect(await pinnedAfter('127.0.0.1', port)).toBe(keys);
});

/** The number of keys that are pinned after a sign-in. */
async function pinnedAfter(
  address: string,
  port: number,
  dial?: () => Promise<ReturnType<typeof connect>>,
) {
  const { hostKeys } = await deps();
  const endpoint = { name: 'bmc-1', address, ports: { http: port } };
  const send = httpTo(
    endpoint,
    { hostKeys, ...(dial && { dial }), credentials: async () => login },
    { signIn: 'basic', https: true, timeoutSeconds: 120 },
  );
  expect((await send({ path: '/' }, new AbortController().signal)).body).toBe('on');
  return hostKeys.list().length;
}
