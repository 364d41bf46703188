/** What the server tells of itself, on its metrics port. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MetadataClient } from '@skolo/api';
import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { bot1, bots, rackYaml, self, startRack, type TestRack, userinfo } from './testing/rack.ts';

const open = `${rackYaml}access: { anonymousRead: [127.0.0.1/32] }\n`;

async function get({ metricsPort }: TestRack, path: string) {
  return await request(`http://127.0.0.1:${metricsPort}`).get(path);
}

describe('/v1/clients', () => {
  it('names who asked, as whom and when, newest first, and then the machines that never did', async () => {
    const rack = await startRack({ yaml: open });
    await rack.get('instance/name', { from: bot1 });
    await rack.token({ from: '127.0.1.2' });
    await rack.token({ from: '127.0.7.7' });

    const { clients }: { clients: MetadataClient[] } = (await get(rack, '/v1/clients')).body;

    expect(clients.slice(0, 3)).toMatchObject([
      { name: '127.0.7.7', kind: 'unknown', address: '127.0.7.7', requests: 1 },
      {
        name: 'rack1-shelf1-002',
        kind: 'machine',
        identity: 'bots',
        lastTokenAsked: expect.any(String),
      },
      { name: 'rack1-shelf1-001', kind: 'machine', address: bot1, requests: 1 },
    ]);
    expect(clients[0]).not.toHaveProperty('identity');
    expect(clients[2]).not.toHaveProperty('lastTokenAsked');
    expect(clients.slice(3).map(({ name }) => name)).toEqual(
      [3, 4, 5, 6, 7, 8, 9].map((n) => `rack1-shelf1-00${n}`),
    );
    expect(clients[3]).toEqual({
      name: 'rack1-shelf1-003',
      kind: 'machine',
      address: '127.0.1.3',
      identity: 'bots',
      requests: 0,
    });
  });
});

it('/v1/identities shows how fresh each token is', async () => {
  const yaml = open.replace('secrets/jumphost.json', 'secrets/none.json');
  const rack = await startRack({ yaml });
  await rack.token();
  const { identities } = (await get(rack, '/v1/identities')).body;
  expect(identities).toMatchObject([
    {
      name: 'bots',
      email: bots,
      project: 'my-project',
      scopes: expect.arrayContaining([userinfo]),
      tokenRemainingSeconds: expect.any(Number),
      lastSuccess: expect.any(String),
    },
    { name: 'jumphost', lastFailureReason: expect.stringContaining('none.json') },
  ]);
  expect(identities[0]).not.toHaveProperty('lastFailure');
  expect(JSON.stringify(identities)).not.toMatch(/ya29/);
});

describe('metrics', () => {
  it('count requests by class, code and identity', async () => {
    const rack = await startRack();
    await rack.token();
    await rack.token({ headers: {} });
    await rack.get('nope', { from: self });
    const metrics = await rack.metrics();
    for (const line of [
      'skolo_metadata_requests_total{class="token",code="200",identity="bots"} 1',
      'skolo_metadata_requests_total{class="token",code="403",identity="bots"} 1',
      'skolo_metadata_requests_total{class="other",code="404",identity="jumphost"} 1',
      'skolo_metadata_upstream_calls_total{identity="bots",kind="access-token",outcome="success"} 1',
    ]) {
      expect(metrics).toContain(`${line}\n`);
    }
    expect(metrics).toMatch(/skolo_metadata_token_remaining_seconds\{identity="bots"\} 3[45]\d\d/);
    expect(metrics).not.toMatch(/ya29/);
  });

  it('count what alert rules ask for from 0, so that the first time is an increase', async () => {
    const yaml = rackYaml.replace('kind: rpi', 'kind: rpi\n    mac: dc:a6:32:00:00:0[1-9]');
    const rack = await startRack({ yaml });
    const zeros = async () =>
      (await rack.metrics()).split('\n').filter((line) => line.endsWith(' 0'));

    expect(await zeros()).toEqual(
      expect.arrayContaining([
        'skolo_metadata_mac_mismatches_total{machine="rack1-shelf1-009"} 0',
        'skolo_metadata_requests_total{class="token",code="429",identity="bots"} 0',
        'skolo_metadata_requests_total{class="other",code="429",identity="none"} 0',
        'skolo_metadata_unknown_caller_requests_total 0',
      ]),
    );

    await rack.edit(yaml.replace('shelf1-[001-009]', 'shelf2-[001-009]'));
    await expect
      .poll(zeros)
      .toContain('skolo_metadata_mac_mismatches_total{machine="rack1-shelf2-001"} 0');
  });

  it('have every name that the alert rules use', async () => {
    const rack = await startRack();
    await rack.token();
    const metrics = await rack.metrics();
    const rules = join(import.meta.dirname, '../../../kube/base/prometheus/rules/metadata.yaml');
    const names = (await readFile(rules, 'utf8')).match(/\bskolo_\w+/g) ?? [];
    expect(names.length).toBeGreaterThan(5);
    for (const name of new Set(names)) expect(metrics).toContain(`# TYPE ${name} `);
  });
});
