/** Sign-in, sessions, files and forwarding, over HTTP. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mountSmall } from '@skolo/base/testing';
import { buildPages } from '@skolo/console/build';
import request, { type Response } from 'supertest';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Fixture, startFixture } from './testing/fixture.ts';

let fixture: Fixture;

beforeAll(async () => {
  await buildPages();
  fixture = await startFixture({
    machines: 4,
    prepare: ({ rack }) => rack.causes.splice(0),
  });
});
afterAll(() => fixture.stop());

function post(path: string, body: object | undefined, headers: Record<string, string> = {}) {
  return request(fixture.url).post(path).set(headers).send(body);
}

function get(path: string, headers: Record<string, string> = {}) {
  return request(fixture.url).get(path).set(headers);
}

/** A signed-in browser: its cookie and origin. */
async function signedIn(role: 'view' | 'operate') {
  return sentBy(await post('/v1/session', { token: fixture.tokens[role] }));
}

function sentBy(signIn: Response) {
  const [cookie = ''] = signIn.get('set-cookie')?.[0]?.split(';') ?? [];
  return { cookie, origin: fixture.url };
}

function bearer(role: 'view' | 'operate' | 'admin') {
  return { authorization: `Bearer ${fixture.tokens[role]}` };
}

/** Reads the audit log of a service, which has a file for each month, also of the one that begins during the test. */
/** By the name of a file, of which each day has one. */
async function auditFilesOf(service: string): Promise<Map<string, string>> {
  const folder = join(fixture.dir, service, 'audit');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.jsonl')).sort();
  const texts = files.map(
    async (name) => [name, await readFile(join(folder, name), 'utf8')] as const,
  );
  return new Map(await Promise.all(texts));
}

async function auditOf(service: string): Promise<string> {
  return [...(await auditFilesOf(service)).values()].join('');
}

/** Entries that machine-state has added since then. */
async function addedTo(before: ReadonlyMap<string, string>): Promise<unknown[]> {
  const after = await auditFilesOf('machine-state');
  const added = [...after]
    .map(([name, text]) => text.slice(before.get(name)?.length ?? 0))
    .join('');
  return added
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('the pages', () => {
  it('have a policy without anything unsafe, and are asked for again each time', async () => {
    const { headers } = await get('/');
    const again = await get('/', { 'if-none-match': `${headers.etag}` });

    const policy = headers['content-security-policy'];
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).not.toContain('unsafe');
    expect(headers['cache-control']).toBe('no-cache');
    expect(again.status).toBe(304);
  });

  it('name files that never change, and have at most 50 kB together', async () => {
    const { text } = await get('/');
    const files = [...text.matchAll(/\.(\/assets\/[^"]+)/g)].map(([, path = '']) => path);
    const responses = await Promise.all(files.map((path) => get(path)));

    expect(files.length).toBeGreaterThan(1);
    const sizes = responses.map(({ headers }) => Number(headers['content-length']));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(50_000);
    for (const { headers } of responses) {
      expect(headers).toMatchObject({
        'cache-control': 'public, max-age=31536000, immutable',
        'content-encoding': 'gzip',
      });
    }
  });

  it.each(['/../package.json', '/%2e%2e/package.json', '/.built-from'])(
    'do not have %s',
    async (path) => {
      await get(path).expect(404);
    },
  );
});

describe('a session', () => {
  it('is a cookie that no script sees, and reads and changes as the token would', async () => {
    const response = await post('/v1/session', { token: fixture.tokens.operate });
    expect(response.get('set-cookie')?.[0]).toMatch(
      /^skolo-console-rack4=[\w-]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
    expect(response.body).toMatchObject({ name: 'ann-operate', role: 'operate' });

    const headers = await signedIn('operate');
    const [name] = fixture.fixture.machines.map((machine) => machine.name);
    const note = await post('/v1/notes', { machines: [name], text: 'hello' }, headers);

    expect(note.status).toBe(201);
    const audit = await auditOf('machine-state');
    expect(audit).toMatch(/"who":"ann-operate".*"what":"addNote"/);
    expect(audit).not.toContain(fixture.tokens.operate);
  });

  it('has no more rights than its token', async () => {
    const body = { machines: [fixture.fixture.machines[0]?.name], text: 'hello' };

    const response = await post('/v1/notes', body, await signedIn('view'));

    expect(response.status).toBe(403);
    expect(response.body.detail).toContain('requires the operate role');
    expect(await auditOf('machine-state')).toMatch(
      /"who":"ann-view".*"what":"rejected request","target":"POST \/v1\/notes","outcome":"rejected: /,
    );
  });

  it('ends', async () => {
    const headers = await signedIn('view');

    await request(fixture.url).delete('/v1/session').set(headers).expect(204);
    await get('/v1/session', headers).expect(401);
  });

  it('that has expired is rejected, and audited once', async () => {
    const { cookie } = await signedIn('operate');
    fixture.clock.pass(13 * 3_600_000);
    onTestFinished(() => fixture.clock.pass(-13 * 3_600_000));
    const before = await auditFilesOf('machine-state');

    await get('/v1/machines', { cookie }).expect(401);
    await get('/v1/rack', { cookie }).expect(401);

    expect(await addedTo(before)).toMatchObject([
      { who: 'ann-operate', what: 'expired session', target: 'GET /v1/machines' },
    ]);
  });

  it('does not begin with a wrong token, which writes nothing: strangers could fill the disk', async () => {
    await signedIn('view');
    const before = await auditOf('machine-state');

    const response = await post('/v1/session', { token: 'skolo_wrong' });

    expect(response.status).toBe(401);
    expect(await auditOf('machine-state')).toBe(before);
  });

  it('is audited with the name of its token', async () => {
    const before = await auditFilesOf('machine-state');

    await signedIn('view');

    expect(await addedTo(before)).toMatchObject([
      { who: 'ann-view', role: 'view', from: '127.0.0.1', what: 'signIn', outcome: 'done' },
    ]);
  });
});

describe('a link', () => {
  it('signs in once, which is audited', async () => {
    const link = await post('/v1/console-links', undefined, bearer('operate'));
    const { code } = link.body;

    const first = await post('/v1/session', { code });
    const second = await post('/v1/session', { code });

    expect([first.status, second.status]).toEqual([201, 401]);
    expect(second.body.detail).toContain('already been used');
    expect(await auditOf('machine-state')).toMatch(/"who":"ann-operate".*"what":"createLink"/);
  });
});

describe('a request from elsewhere', () => {
  const from: [string, Record<string, string>][] = [
    ['another port of the same host', { origin: 'http://127.0.0.1:1' }],
    ['another site', { origin: 'https://evil.example' }],
    ['a frame without an origin', { origin: 'null' }],
    ['a browser that says so', { 'sec-fetch-site': 'same-site' }],
    ['no page at all', {}],
  ];
  it.each(from)('is rejected, and audited: %s', async (_, headers) => {
    const { cookie } = await signedIn('operate');
    const calls = fixture.calls.length;

    const response = await post(
      '/v1/notes',
      { machines: ['x'], text: 'x' },
      { cookie, ...headers },
    );

    expect(response.status).toBe(403);
    expect(fixture.calls).toHaveLength(calls);
    expect(await auditOf('machine-state')).toMatch(
      /"who":"ann-operate".*"what":"cross-site request","target":"POST \/v1\/notes"/,
    );
  });
});

describe('the other services', () => {
  const cycles = '/services/power-cycle-daemon/v1/power-cycles';

  it('know the caller by his own token', async () => {
    const body = { machines: [fixture.fixture.machines[0]?.name], reason: 'it hangs' };

    const response = await post(cycles, body, await signedIn('operate'));

    expect(response.status).toBe(202);
    expect(await auditOf('power-cycle-daemon')).toMatch(/"who":"ann-operate".*"why":"it hangs"/);
  });

  it('are not asked for what the role does not allow, which is audited', async () => {
    const body = { machines: ['x'], reason: 'x' };

    const response = await post(cycles, body, await signedIn('view'));

    expect(response.status).toBe(403);
    expect(await auditOf('machine-state')).toContain(
      `"what":"rejected request","target":"POST ${cycles}"`,
    );
  });

  it('show their audit logs', async () => {
    const headers = await signedIn('operate');
    const path = '/services/power-cycle-daemon/v1/audit?text=it+hangs';

    const { body } = await get(path, headers);

    expect(body.entries).toMatchObject([
      { who: 'ann-operate', what: 'requestCycles', outcome: 'accepted' },
      { who: 'ann-operate', what: 'requestCycles', outcome: 'begun' },
    ]);
  });

  it('answer with their problems', async () => {
    const response = await post(cycles, { machines: [], reason: 'x' }, await signedIn('operate'));

    expect(response.status).toBe(400);
    expect(response.type).toBe('application/problem+json');
  });

  it.each([
    ['post', '/services/power-cycle-daemon/v1/own-devices/power-cycles'],
    ['get', '/services/power-cycle-daemon/v1/own-holds'],
    ['get', '/services/power-cycle-daemon/v1/../metrics'],
    ['get', '/services/metadata-server/v1/%2e%2e/metrics'],
    ['get', '/services/swarming-client/v1/status'],
    ['put', cycles],
    ['get', '/services/nobody/v1/x'],
  ] as const)(
    'are not asked for what they know by our address, or is no route: %s %s',
    async (method, path) => {
      const headers = await signedIn('operate');
      await request(fixture.url)[method](path).set(headers).expect(404);
    },
  );
});

// Last: afterwards, the directory is another one.
describe('while the disk of the audit log is full', () => {
  const why =
    /machine-state\/audit: changes are rejected, because the audit log cannot be written: the disk is full \(ENOSPC\); to find the cause, run skolo run jumphost --on rack4 --timeout 5m -- 'sudo du -xh \$\(stat -c %m \S+\/machine-state\) \| sort -h \| tail -n 30'/;

  it('people sign in, by token and by link, and look; changes are rejected until there is space', async (context) => {
    const disk = join(fixture.dir, 'machine-state');
    await mountSmall(context, disk, 'size=64k');
    const filling = join(disk, 'filling');
    await writeFile(filling, Buffer.alloc(128 * 1024)).catch(() => undefined);
    const body = { machines: [fixture.fixture.machines[0]?.name], text: 'hello' };

    const link = await post('/v1/console-links', undefined, bearer('admin'));
    const byLink = await post('/v1/session', { code: link.body.code });
    const byToken = await post('/v1/session', { token: fixture.tokens.operate });

    for (const response of [byLink, byToken]) {
      expect(response.status).toBe(201);
      expect(response.body).toMatchObject({
        role: 'view',
        signedIn: true,
        onlyReads: expect.stringMatching(why),
      });
    }
    const headers = sentBy(byToken);
    await get('/v1/machines', headers).expect(200);
    await get('/services/power-cycle-daemon/v1/machines', headers).expect(200);
    const rejected = [
      await post('/v1/notes', body, headers),
      await post('/v1/notes', body, bearer('operate')),
      // Another service may have another disk.
      await post(
        '/services/power-cycle-daemon/v1/holds',
        { targets: ['all'], reason: 'fan' },
        headers,
      ),
      await get('/v1/audit', headers),
    ];
    for (const response of rejected) {
      expect(response.status).toBe(503);
      expect(response.body.detail).toMatch(why);
    }
    await request(fixture.url).delete('/v1/session').set(sentBy(byLink)).expect(204);

    await rm(filling);

    const role = async () => (await get('/v1/session', headers)).body.role;
    await expect.poll(role).toBe('operate');
    await post('/v1/notes', body, headers).expect(201);
    const entries = (await auditOf('machine-state'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(
      entries
        .map(({ who, what }) => `${who} ${what}`)
        .slice(0, 4)
        .sort(),
    ).toEqual([
      'ann-admin createLink',
      'ann-admin signIn',
      'ann-admin signOut',
      'ann-operate signIn',
    ]);
  });
});
