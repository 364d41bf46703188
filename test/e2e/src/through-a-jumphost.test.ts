/** A metadata server gives a token to its jumphost, and none to somebody who comes through the jumphost. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { tempDir, untilTestEnds } from '@skolo/base/testing';
import { openJumphost, startForward } from '@skolo/fleet';
import { startWorkstation } from '@skolo/fleet/testing';
import { peer } from '@skolo/simulators';
import { expect, it } from 'vitest';
import { startGoogle } from './google.ts';
import { startService } from './service-process.ts';

const path = '/computeMetadata/v1/instance/service-accounts/default/token';
const headers = { 'metadata-flavor': 'Google' };

it('gives no token through skolo forward and --on', async ({ skip }) => {
  if (!peer('sshd') || !peer('ssh')) skip('sshd is not installed');
  const port = Number(new URL(await startMetadataServer()).port);
  const workstation = untilTestEnds(await startWorkstation());
  const { rack, env } = workstation;
  const { signal } = new AbortController();
  const jumphost = untilTestEnds(await openJumphost(rack, { env, mayAsk: false, signal }));
  const forward = untilTestEnds(
    await startForward(new URL(`http://127.0.0.1:${port}`), jumphost.connect),
  );
  const local = new URL(forward.url);
  const url = `http://127.0.0.1:${port}${path}`;

  expect(await ask(port, headers)).toMatchObject({ status: 200 });
  expect(await ask(Number(local.port), { ...headers, host: local.host })).toMatchObject({
    status: 403,
    body: expect.stringContaining('X-Forwarded-For'),
  });
  const lying = { ...headers, host: local.host, 'x-forwarded-for': '', forwarded: 'for=127.0.0.1' };
  expect(await ask(Number(local.port), lying)).toMatchObject({ status: 403 });
  expect((await jumphost.fetch(url, { headers })).status).toBe(403);
  // What docs/reference/skolo.md says of a plain ssh -L.
  const socket = await jumphost.connect('127.0.0.1', port, signal);
  socket.end(`GET ${path} HTTP/1.1\r\nHost: metadata\r\nMetadata-Flavor: Google\r\n\r\n`);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /);
});

async function startMetadataServer(): Promise<string> {
  const dir = await tempDir();
  await startGoogle('jumphost', join(dir, 'key.json'));
  const rack = `rack: rack4
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack4, address: 127.0.0.1, aliases: [metadata], identity: jumphost }
identities: { jumphost: { project: my-project, credentials: { serviceAccountKey: key.json } } }
`;
  await writeFile(join(dir, 'rack.yaml'), rack);
  const flags = ['--rack', join(dir, 'rack.yaml'), '--state-dir', join(dir, 'state')];
  const { url } = await startService('metadata-server', flags);
  return url;
}

async function ask(port: number, sent: Record<string, string>) {
  const asked = request({ host: '127.0.0.1', port, path, headers: { host: 'metadata', ...sent } });
  asked.end();
  const [answer]: IncomingMessage[] = await once(asked, 'response');
  if (answer === undefined) throw new Error('no answer');
  return { status: answer.statusCode, body: await text(answer) };
}
