/**
 * The public checklist of what Google's metadata server does, case by case, over a socket.
 * The numbers are those of the list that the project started from.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { flavor, type Reply } from '../testing/http.ts';
import { bots, cloudPlatform, startRack, userinfo } from '../testing/rack.ts';

const account = 'instance/service-accounts';
const token = `${account}/default/token`;

const rack = await startRack({ atEnd: afterAll });

describe('the public checklist', () => {
  async function text(path: string): Promise<string> {
    const reply = await rack.get(path);
    expect(reply).toMatchObject({ status: 200, headers: { 'content-type': 'application/text' } });
    return reply.body;
  }

  async function json(path: string): Promise<unknown> {
    const reply = await rack.get(path);
    expect(reply).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
    return JSON.parse(reply.body);
  }

  function expectError(reply: Reply, status: number): void {
    expect(reply.status).toBe(status);
    expect(reply.headers['metadata-flavor']).toBe('Google');
    expect(reply.body).not.toMatch(/ya29|access_token/);
  }

  it.each([
    ['A04 v1/ is listed, sorted', '', 'instance/\nproject/\nuniverse/\n'],
    ['A08 project/', 'project/', 'attributes/\nnumeric-project-id\nproject-id\n'],
    ['A09 project-id', 'project/project-id', 'my-project'],
    ['A10 numeric-project-id', 'project/numeric-project-id', '123456789012'],
    ['A11 universe-domain', 'universe/universe-domain', 'googleapis.com'],
    ['A13 instance/name', 'instance/name', 'rack1-shelf1-001'],
    ['A14 instance/hostname', 'instance/hostname', 'rack1-shelf1-001.lan'],
    ['A15 instance/zone', 'instance/zone', 'projects/123456789012/zones/us-skolo-1'],
    [
      'A16 instance/machine-type',
      'instance/machine-type',
      'projects/123456789012/machineTypes/rpi4',
    ],
    ['A18 instance/tags as text', 'instance/tags?alt=text', 'bot\nrack1\n'],
    ['A21 service-accounts/', `${account}/`, `${bots}/\ndefault/\n`],
    [
      'A22 service-accounts/default/',
      `${account}/default/`,
      'aliases\nemail\nidentity\nscopes\ntoken\n',
    ],
    ['A23 email', `${account}/default/email`, bots],
    ['A25 aliases', `${account}/default/aliases`, 'default\n'],
    ['A26 scopes', `${account}/default/scopes`, `${userinfo}\n${cloudPlatform}\n`],
    ['A34 instance/attributes/ is sorted', 'instance/attributes/', 'Empty\npool\nskolo-machine\n'],
    ['A36 a project attribute', 'project/attributes/owner', 'lab'],
    ['A52 a double slash', 'project//project-id', 'my-project'],
    [
      'A53 an unknown parameter',
      'project/project-id?foo=bar&timeout_sec=x&last_etag=0',
      'my-project',
    ],
  ])('%s', async (_, path, content) => {
    expect(await text(path)).toBe(content);
  });

  it('A01 / without headers', async () => {
    const reply = await rack.raw('/', { headers: {} });
    expect(reply).toMatchObject({
      status: 200,
      body: 'computeMetadata/\n',
      headers: { 'metadata-flavor': 'Google', 'content-type': 'application/text' },
    });
  });

  it('A02 / with the flavor', async () => {
    expect(await rack.raw('/')).toMatchObject({
      status: 200,
      headers: { 'metadata-flavor': 'Google' },
    });
  });

  it('A03 /computeMetadata/', async () => {
    expect(await rack.raw('/computeMetadata/')).toMatchObject({ status: 200, body: 'v1/\n' });
  });

  it('A05 v1 without its slash', async () => {
    const reply = await rack.raw('/computeMetadata/v1', {
      headers: { ...flavor, Host: 'metadata' },
    });
    expect(reply.status).toBe(301);
    expect(reply.headers.location).toBe('http://metadata/computeMetadata/v1/');
  });

  it('A06 instance without its slash, then with it', async () => {
    const reply = await rack.get('instance', { headers: { ...flavor, Host: 'metadata:8080' } });
    expect(reply).toMatchObject({ status: 301, body: '/computeMetadata/v1/instance/\n' });
    expect(reply.headers.location).toBe('http://metadata:8080/computeMetadata/v1/instance/');
    expect((await rack.raw(new URL(reply.headers.location ?? '').pathname)).status).toBe(200);
  });

  it('A07 instance/', async () => {
    const names = (await text('instance/')).split('\n').slice(0, -1);
    expect(names).toEqual([...names].sort());
    expect(names).toEqual(
      expect.arrayContaining(['attributes/', 'id', 'service-accounts/', 'zone']),
    );
  });

  it('A12 instance/id has all its digits', async () => {
    const id = await text('instance/id');
    expect(id).toMatch(/^[1-9]\d{10,19}$/);
    expect((await rack.get('instance/?recursive=true')).body).toContain(`"id":${id},`);
  });

  it.each([
    ['A17 instance/tags is JSON', 'instance/tags', ['bot', 'rack1']],
    ['A27 scopes as JSON', `${account}/default/scopes?alt=json`, [userinfo, cloudPlatform]],
    [
      'A32 default/?recursive=true',
      `${account}/default/?recursive=true`,
      { aliases: ['default'], email: bots, scopes: [userinfo, cloudPlatform] },
    ],
    [
      'A37 attributes as JSON keep their keys',
      'project/attributes/?recursive=true',
      { 'b-key': '2', a_key: '1', owner: 'lab' },
    ],
  ])('%s', async (_, path, content) => {
    expect(await json(path)).toEqual(content);
  });

  it('A19 a text as JSON', async () => {
    expect((await rack.get('project/project-id?alt=json')).body).toBe('"my-project"');
    expect(await json('project/project-id?alt=json')).toBe('my-project');
  });

  it('A20 a number as JSON', async () => {
    expect((await rack.get('project/numeric-project-id?alt=json')).body).toBe('123456789012');
  });

  it('A24 email by e-mail', async () => {
    expect(await text(`${account}/${bots}/email`)).toBe(bots);
    expect(await text(`${account}/${encodeURIComponent(bots)}/email`)).toBe(bots);
  });

  it('A28 token', async () => {
    const answer = await json(token);
    expect(answer).toEqual({
      access_token: expect.stringMatching(/^ya29\./),
      expires_in: expect.any(Number),
      token_type: 'Bearer',
    });
    const { access_token, expires_in } = answer as { access_token: string; expires_in: number };
    expect(Number.isInteger(expires_in)).toBe(true);
    expect(rack.google.isValid(access_token, userinfo)).toBe(true);
  });

  it('A29 token by e-mail', async () => {
    const byName = (await json(token)) as { access_token: string };
    expect(await json(`${account}/${bots}/token`)).toMatchObject({
      access_token: byName.access_token,
    });
  });

  it('A30 token with scopes', async () => {
    const { access_token } = (await json(`${token}?scopes=${userinfo}`)) as {
      access_token: string;
    };
    expect(rack.google.isValid(access_token, userinfo)).toBe(true);
    expect(rack.google.isValid(access_token, cloudPlatform)).toBe(false);
    expect((await rack.get(`${token}?scopes=a,b`)).status).toBe(200);
  });

  it('A31 token has at least ten minutes left', async () => {
    expect(((await json(token)) as { expires_in: number }).expires_in).toBeGreaterThanOrEqual(600);
  });

  it('A33 everything', async () => {
    expect(await json('?recursive=true')).toMatchObject({
      instance: {
        serviceAccounts: { default: { email: bots }, [bots]: { email: bots } },
        zone: 'projects/123456789012/zones/us-skolo-1',
        tags: ['bot', 'rack1'],
        cpuPlatform: expect.any(String),
        image: expect.any(String),
        machineType: expect.any(String),
      },
      project: { projectId: 'my-project', numericProjectId: 123456789012 },
    });
  });

  it('A35 an instance attribute', async () => {
    expect(await text('instance/attributes/pool')).toBe('phones');
    expect(await text('instance/attributes/Empty')).toBe('');
  });

  it('A38 an attribute that is not there', async () => {
    const reply = await rack.get('instance/attributes/no-such-key');
    expectError(reply, 404);
    expect(reply.headers['content-type']).toBe('text/html; charset=UTF-8');
  });

  it.each([
    ['A39 a path that is not there', 'nope', flavor, 404],
    ['A40 no flavor', 'project/project-id', {}, 403],
    ['A41 token without flavor', token, {}, 403],
    ['A42 token with another flavor', token, { 'Metadata-Flavor': 'Something-Else' }, 403],
    ['A42 token with the flavor in lower case', token, { 'Metadata-Flavor': 'google' }, 403],
    ['A43 token behind a proxy', token, { ...flavor, 'X-Forwarded-For': '10.0.0.1' }, 403],
    ['A49 somebody else’s token', `${account}/nobody@example.com/token`, flavor, 404],
    ['A50 a key of the account that is not there', `${account}/default/nope`, flavor, 404],
  ])('%s', async (_, path, headers, status) => {
    expectError(await rack.get(path, { headers }), status);
  });

  it('A44 Server', async () => {
    expect((await rack.get('instance/id')).headers.server).toBe('Metadata Server for VM');
  });

  it('A45 headers against browsers', async () => {
    expect((await rack.get('instance/id')).headers).toMatchObject({
      'x-xss-protection': '0',
      'x-frame-options': 'SAMEORIGIN',
    });
  });

  it('A46 ETag', async () => {
    const { etag } = (await rack.get('instance/id')).headers;
    expect(etag).toMatch(/^[0-9a-f]{16}$/);
    expect((await rack.get('instance/id')).headers.etag).toBe(etag);
  });

  it('A47 identity without audience', async () => {
    const reply = await rack.get(`${account}/default/identity`);
    expectError(reply, 400);
    expect(reply.body).toBe('non-empty audience parameter required');
    expectError(await rack.get(`${account}/default/identity?audience=`), 400);
  });

  it('A48 identity', async () => {
    const jwt = await text(`${account}/default/identity?audience=https://x`);
    const claims = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({ aud: 'https://x', email: bots });
    expect(claims.exp - claims.iat).toBeGreaterThanOrEqual(600);
  });

  it('A51 POST', async () => {
    const reply = await rack.get(token, { method: 'POST' });
    expectError(reply, 405);
    expect(reply.headers.allow).toBe('GET, HEAD');
  });

  it('A54 recursion shows no token', async () => {
    const { body } = await rack.get('instance/?recursive=true');
    expect(body).not.toMatch(/"(token|identity)"/);
    expect((await rack.get('?recursive=true&alt=text')).body).not.toMatch(/\/(token|identity) /);
  });

  it('A55 guest attributes', async () => {
    const expected = { status: 403, body: 'Guest attributes endpoint access is disabled.' };
    expect(await rack.get('instance/guest-attributes/')).toMatchObject(expected);
    expect(await rack.get('instance/guest-attributes/ns/key', { method: 'PUT' })).toMatchObject(
      expected,
    );
  });

  it('A56 the name of the header in lower case', async () => {
    expect((await rack.get(token, { headers: { 'metadata-flavor': 'Google' } })).status).toBe(200);
  });
});
