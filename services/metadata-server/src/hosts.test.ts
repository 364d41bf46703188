/** A page of another site, whose name a browser in the rack resolves to the metadata server (DNS rebinding). */
import { describe, expect, it } from 'vitest';
import { flavor } from './testing/http.ts';
import { rackYaml, self, startRack } from './testing/rack.ts';

const token = 'instance/service-accounts/default/token';

describe('a request for the host of another site', () => {
  it('is rejected through a trusted proxy, too', async () => {
    const rack = await startRack();
    const headers = { ...flavor, 'X-Forwarded-For': '127.0.1.1' };

    const asked = (Host: string) =>
      rack.get(token, { from: '127.0.9.1', headers: { ...headers, Host } });

    expect((await asked('evil.example')).status).toBe(403);
    expect((await asked('metadata')).status).toBe(200);
  });

  it('is accepted once rack.yaml lists that host', async () => {
    const rack = await startRack();
    const ask = () => rack.get(token, { headers: { ...flavor, Host: 'rack1.example.com:8080' } });
    expect((await ask()).status).toBe(403);

    await rack.edit(
      rackYaml.replace('aliases: [metadata]', 'aliases: [metadata], hosts: [rack1.example.com]'),
    );

    await expect.poll(async () => (await ask()).status).toBe(200);
  });
});

it.each([
  'metadata',
  'metadata.google.internal',
  'metadata.google.internal.',
  'METADATA.google.internal.:80',
  'metadata.goog',
  '169.254.169.254',
  '[fd20:ce::254]',
  'metadata.lan',
  'jumphost-rack1',
  'jumphost-rack1.lan:8080',
  'localhost:8080',
  '127.0.0.1',
])('a request for the server is answered by the name %s', async (Host) => {
  const rack = await startRack();

  expect((await rack.get(token, { from: self, headers: { ...flavor, Host } })).status).toBe(200);
});
