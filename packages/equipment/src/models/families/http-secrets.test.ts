/** A device may repeat received secrets, especially in an error. */

import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Credentials, Secret } from '@skolo/base/secrets';
import { listen } from '@skolo/base/testing';
import { HostKeys, httpTo } from '@skolo/equipment/transports';
import { describe, expect, it } from 'vitest';

async function rejection(credentials: Partial<Credentials>, signIn: 'basic' | 'challenge') {
  const server = createServer(({ url, headers }, response) => {
    response.writeHead(400).end(`bad header "${headers.authorization}" at ${url}`);
  });
  const port = await listen(server);
  const device = { name: 'bmc-1', address: '127.0.0.1', ports: { http: port }, options: {} };
  const deps = {
    credentials: async () => ({ legacySsh: false, ...credentials }),
    hostKeys: new HostKeys(join(tmpdir(), 'unused.json')),
  };
  const send = httpTo(device, deps, { signIn, reason: (body) => body });
  const sent = send({ path: '/x' }, new AbortController().signal);
  return await sent.then(String, (error: Error) => error.message);
}

describe('an error of a device', () => {
  it.each([
    ['encoded password', { username: 'root', password: new Secret('calvin') }, 'basic'],
    ['token', { token: new Secret('tok-1234') }, 'challenge'],
  ] as const)('is told without the %s that it repeats', async (_what, credentials, signIn) => {
    const said = await rejection(credentials, signIn);

    expect(said).toBe('bmc-1: returned status 400: bad header "<secret>" at /x');
  });
});
