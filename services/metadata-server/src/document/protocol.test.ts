/** What Google's server does beyond the public checklist. */
import { sendText } from '@skolo/base/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { ask, flavor } from '../testing/http.ts';
import { bot1, rackYaml, startRack } from '../testing/rack.ts';

const account = 'instance/service-accounts/default';

/** For all tests that only read. */
const rack = await startRack({ atEnd: afterAll });

describe('paths', () => {
  it('keep their query in a redirect', async () => {
    const reply = await rack.get('instance/service-accounts?recursive=true&alt=json', {
      headers: { ...flavor, Host: 'metadata.google.internal.' },
    });
    expect(reply.headers.location).toBe(
      'http://metadata.google.internal./computeMetadata/v1/instance/service-accounts/?recursive=true&alt=json',
    );
  });

  it.each([
    `${account}/token/`,
    `${account}/email/`,
    `${account}/scopes/0`,
    'instance/network-interfaces/9/ip',
    'instance/network-interfaces/x/ip',
    'Instance/id',
    '../../etc/passwd',
    '%E0%A4%A',
    'instance/__proto__/x',
  ])('%s is not found', async (path) => {
    expect((await rack.get(path)).status).toBe(404);
  });

  it('of the versions before v1 serve nothing, with or without header', async () => {
    for (const path of [
      '/0.1/meta-data/',
      '/computeMetadata/v1beta1/instance/id',
      '/computeMetadata/v1beta1/',
    ]) {
      for (const headers of [{}, flavor])
        expect((await rack.raw(path, { headers })).status).toBe(404);
    }
  });

  it('above v1 never show what is below it', async () => {
    for (const path of ['/?recursive=true', '/computeMetadata/?recursive=true&alt=text']) {
      const reply = await rack.raw(path, { headers: {} });
      expect(reply.status).toBe(200);
      expect(reply.body).not.toContain('instance');
    }
  });

  it('need the header everywhere under v1, found or not', async () => {
    for (const path of ['', 'nope', 'instance', 'instance/guest-attributes/']) {
      expect((await rack.get(path, { headers: {} })).status).toBe(403);
    }
    expect((await rack.raw('/computeMetadata/v1', { headers: {} })).status).toBe(403);
    expect((await rack.get('', { headers: { 'X-Google-Metadata-Request': 'True' } })).status).toBe(
      200,
    );
  });
});

it.each([
  ['instance/?alt=json', 400],
  ['instance/?alt=text', 400],
  ['instance/?wait_for_change=true', 400],
  ['instance/?recursive=xyz', 200],
  ['instance/id?wait_for_change=true&timeout_sec=soon', 400],
  ['instance/id?timeout_sec=soon', 200],
  ['instance/id?alt=xml', 200],
  [`${account}/identity?audience=x&format=odd`, 400],
  [`${account}/identity?audience=x&format=full&licenses=TRUE`, 200],
  [`${account}/identity?audience=https%3A%2F%2Fx%2Fy&format=standard`, 200],
])('a query: %s is %i', async (path, status) => {
  expect((await rack.get(path)).status).toBe(status);
});

describe('methods', () => {
  it('HEAD is GET without the body', async () => {
    const [head, get] = await Promise.all(
      ['HEAD', 'GET'].map((method) => rack.get('project/project-id', { method })),
    );
    expect(head).toMatchObject({ status: 200, body: '' });
    expect(head?.headers['content-length']).toBe('10');
    expect(head?.headers.etag).toBe(get?.headers.etag);
  });
});

describe('headers', () => {
  it('of a token are lines with alt=text', async () => {
    const { access_token: token } = JSON.parse((await rack.token()).body);
    const reply = await rack.token({ query: '?alt=text' });
    expect(reply.headers['content-type']).toBe('application/text');
    expect(reply.body.replace(/\d+\n/, 'N\n')).toBe(
      `access_token ${token}\nexpires_in N\ntoken_type Bearer\n`,
    );
    expect((await rack.token({ query: '?alt=json' })).headers['content-type']).toBe(
      'application/json',
    );
  });

  it('of a network interface have directories where Google’s have', async () => {
    const path = 'instance/network-interfaces/0';
    expect((await rack.get(`${path}/`)).body).toBe(
      'access-configs/\ndns-servers\nforwarded-ips/\nip\nip-aliases/\nnetwork\ntarget-instance-ips\n',
    );
    for (const name of ['forwarded-ips', 'ip-aliases']) {
      expect((await rack.get(`${path}/${name}`)).status).toBe(301);
      expect(await rack.get(`${path}/${name}/`)).toMatchObject({ status: 200, body: '' });
      expect((await rack.get(`${path}/${name}/?recursive=true`)).body).toBe('[]');
    }
    expect((await rack.get('instance/')).body).toContain('\nguest-attributes/\n');
  });

  it('of a token have no ETag, those of a listing do', async () => {
    expect((await rack.token()).headers.etag).toBeUndefined();
    expect((await rack.get('instance/')).headers.etag).toMatch(/^[0-9a-f]{16}$/);
    expect((await rack.get('?recursive=true')).headers.etag).toMatch(/^[0-9a-f]{16}$/);
  });

  it.each([
    ['instance/name', ''],
    ['instance/id', ''],
    ['instance/tags', ''],
    ['instance/service-accounts/default/scopes', ''],
    ['instance/', 'recursive=true&'],
    ['instance/network-interfaces/0/ip-aliases/', 'recursive=true&'],
  ])('ETag of %s is the same in each format', async (path, query) => {
    const etags = await Promise.all(
      [`${path}?${query}`, `${path}?${query}alt=text`, `${path}?${query}alt=json`].map(
        async (each) => (await rack.get(each)).headers.etag,
      ),
    );
    expect(new Set(etags).size).toBe(1);
    if (query) expect((await rack.get(path)).headers.etag).not.toBe(etags[0]);
  });

  it('need no Host before HTTP/1.1', async () => {
    const request = 'GET /computeMetadata/v1/instance HTTP/1.0\r\nMetadata-Flavor: Google\r\n\r\n';
    const answer = await sendText(rack.port, request, bot1);
    expect(answer).toMatch(/^HTTP\/1\.1 301 /);
    expect(answer).toContain('Location: /computeMetadata/v1/instance/\r\n');
  });

  it('are there where Node itself rejects', async () => {
    const long = await rack.get(`instance/?x=${'x'.repeat(20_000)}`);
    expect(long).toMatchObject({ status: 431, headers: { 'metadata-flavor': 'Google' } });
    const answer = await sendText(rack.port, 'no HTTP at all\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('Metadata-Flavor: Google\r\n');
    expect(answer).toContain('<title>Error 400 (Bad Request)!!1</title>');
  });

  it('error pages do not carry what was asked for unescaped', async () => {
    expect((await rack.get('<script>')).body).not.toContain('<script>');
  });
});

it('the metrics port has none of the metadata, and the public port none of the metrics', async () => {
  const rack = await startRack();
  expect((await ask(rack.metricsPort, '/computeMetadata/v1/', { from: '127.0.0.1' })).status).toBe(
    404,
  );
  for (const path of ['/metrics', '/healthz', '/readyz', '/v1/clients']) {
    expect((await rack.raw(path)).status).toBe(404);
  }
});

it('has a 64-bit id as it is given', async () => {
  const id = '18446744073709551615';
  const yaml = rackYaml
    .replace('zone: us-skolo-1', `id: "${id}"`)
    .replace('[001-009]', '001')
    .replace('[1-9]', '1');
  const rack = await startRack({ yaml });
  expect((await rack.get('instance/id')).body).toBe(id);
  expect((await rack.get('instance/id?alt=json')).body).toBe(id);
  expect((await rack.get('instance/?recursive=true')).body).toContain(`"id":${id},`);
});
