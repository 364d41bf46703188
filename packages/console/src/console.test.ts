/** Sign-in, sessions, files and forwarding, over HTTP. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { AuditPage } from '@skolo/api';
import { mountSmall } from '@skolo/base/testing';
import { buildPages } from '@skolo/console/build';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
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

const json = { 'content-type': 'application/json' };

function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  return fetch(`${fixture.url}${path}`, {
    method: 'POST',
    headers: { ...json, ...headers },
    body: JSON.stringify(body),
  });
}

/** A signed-in browser: its cookie and origin. */
async function signedIn(role: 'view' | 'operate') {
  return sentBy(await post('/v1/session', { token: fixture.tokens[role] }));
}

function sentBy(signIn: Response) {
  const [cookie = ''] = signIn.headers.get('set-cookie')?.split(';') ?? [];
  return { cookie, origin: fixture.url };
}

function bearer(role: 'view' | 'operate' | 'admin') {
  return { authorization: `Bearer ${fixture.tokens[role]}` };
}

function auditOf(service: string) {
  const month = new Date().toISOString().slice(0, 7);
  return readFile(join(fixture.dir, service, 'audit', `${month}.jsonl`), 'utf8');
}

describe('the pages', () => {
  it('have a policy without anything unsafe, and are asked for again each time', async () => {
    const response = await fetch(fixture.url);
    const again = await fetch(fixture.url, {
      headers: { 'if-none-match': response.headers.get('etag') ?? '' },
    });

    const policy = response.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).not.toContain('unsafe');
    expect(response.headers.get('cache-control')).toBe('no-cache');
    expect(again.status).toBe(304);
  });

  it('name files that never change, and have at most 50 kB together', async () => {
    const index = await (await fetch(fixture.url)).text();
    const files = [...index.matchAll(/\.\/(assets\/[^"]+)/g)].map(([, path]) => path);
    const responses = await Promise.all(files.map((path) => fetch(`${fixture.url}/${path}`)));

    expect(files.length).toBeGreaterThan(1);
    const sizes = responses.map(({ headers }) => Number(headers.get('content-length')));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(50_000);
    for (const { headers } of responses) {
      expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(headers.get('content-encoding')).toBe('gzip');
    }
  });

  it.each(['/../package.json', '/%2e%2e/package.json', '/.built-from'])(
    'do not have %s',
    async (path) => {
      expect((await fetch(`${fixture.url}${path}`)).status).toBe(404);
    },
  );
});

describe('a session', () => {
  it('is a cookie that no script sees, and reads and changes as the token would', async () => {
    const response = await post('/v1/session', { token: fixture.tokens.operate });
    const cookie = response.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(
      /^skolo-console-rack4=[\w-]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
    expect(await response.json()).toMatchObject({ name: 'ann-operate', role: 'operate' });

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
    expect(await response.json()).toMatchObject({
      detail: expect.stringContaining('requires the operate role'),
    });
    expect(await auditOf('machine-state')).toMatch(
      /"who":"ann-view".*"what":"rejected request","target":"POST \/v1\/notes","outcome":"rejected: /,
    );
  });

  it('ends', async () => {
    const headers = await signedIn('view');
    const ended = await fetch(`${fixture.url}/v1/session`, { method: 'DELETE', headers });
    const after = await fetch(`${fixture.url}/v1/session`, { headers });

    expect([ended.status, after.status]).toEqual([204, 401]);
  });

  it('that has expired is rejected, and audited once', async () => {
    const { cookie } = await signedIn('operate');
    fixture.clock.pass(13 * 3_600_000);
    onTestFinished(() => fixture.clock.pass(-13 * 3_600_000));
    const before = await auditOf('machine-state');

    const statuses: number[] = [];
    for (const path of ['/v1/machines', '/v1/rack']) {
      statuses.push((await fetch(`${fixture.url}${path}`, { headers: { cookie } })).status);
    }

    expect(statuses).toEqual([401, 401]);
    const added = (await auditOf('machine-state')).slice(before.length).trim().split('\n');
    expect(added.map((line) => JSON.parse(line))).toMatchObject([
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
    const before = await auditOf('machine-state');

    await signedIn('view');

    const added = (await auditOf('machine-state')).slice(before.length).trim().split('\n');
    expect(added.map((line) => JSON.parse(line))).toMatchObject([
      { who: 'ann-view', role: 'view', from: '127.0.0.1', what: 'signIn', outcome: 'done' },
    ]);
  });
});

describe('a link', () => {
  it('signs in once, which is audited', async () => {
    const link = await post('/v1/console-links', undefined, bearer('operate'));
    const { code } = z.object({ code: z.string() }).parse(await link.json());

    const first = await post('/v1/session', { code });
    const second = await post('/v1/session', { code });

    expect([first.status, second.status]).toEqual([201, 401]);
    expect(await second.json()).toMatchObject({
      detail: expect.stringContaining('already been used'),
    });
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

    const page = AuditPage.parse(await (await fetch(`${fixture.url}${path}`, { headers })).json());

    expect(page.entries).toMatchObject([
      { who: 'ann-operate', what: 'requestCycles', outcome: 'accepted' },
      { who: 'ann-operate', what: 'requestCycles', outcome: 'begun' },
    ]);
  });

  it('answer with their problems', async () => {
    const response = await post(cycles, { machines: [], reason: 'x' }, await signedIn('operate'));

    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
  });

  it.each([
    ['POST', '/services/power-cycle-daemon/v1/own-devices/power-cycles'],
    ['GET', '/services/power-cycle-daemon/v1/own-holds'],
    ['GET', '/services/power-cycle-daemon/v1/../metrics'],
    ['GET', '/services/metadata-server/v1/%2e%2e/metrics'],
    ['GET', '/services/swarming-client/v1/status'],
    ['PUT', cycles],
    ['GET', '/services/nobody/v1/x'],
  ])(
    'are not asked for what they know by our address, or is no route: %s %s',
    async (method, path) => {
      const headers = await signedIn('operate');
      expect((await fetch(`${fixture.url}${path}`, { method, headers })).status).toBe(404);
    },
  );

  it.each([
    String.raw`/services/power-cycle-daemon/v1/power-cycles/..\..\metrics`,
    '/services/power-cycle-daemon/v1/power-cycles/%2e%2e',
  ])('are not asked for another path than the one that was looked at: %s', async (path) => {
    const headers = await signedIn('operate');
    // fetch resolves such a path itself.
    const status = await new Promise((resolve, reject) => {
      request(fixture.url, { path, headers }, (response) => resolve(response.statusCode))
        .on('error', reject)
        .end();
    });

    expect(status).toBe(404);
  });
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
    const byLink = await post(
      '/v1/session',
      z.object({ code: z.string() }).parse(await link.json()),
    );
    const byToken = await post('/v1/session', { token: fixture.tokens.operate });

    for (const response of [byLink, byToken]) {
      expect(response.status).toBe(201);
      expect(await response.json()).toMatchObject({
        role: 'view',
        signedIn: true,
        onlyReads: expect.stringMatching(why),
      });
    }
    const headers = sentBy(byToken);
    const get = (path: string) => fetch(`${fixture.url}${path}`, { headers });
    expect((await get('/v1/machines')).status).toBe(200);
    expect((await get('/services/power-cycle-daemon/v1/machines')).status).toBe(200);
    const rejected = [
      await post('/v1/notes', body, headers),
      await post('/v1/notes', body, bearer('operate')),
      // Another service may have another disk.
      await post(
        '/services/power-cycle-daemon/v1/holds',
        { targets: ['all'], reason: 'fan' },
        headers,
      ),
      await get('/v1/audit'),
    ];
    for (const response of rejected) {
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({ detail: expect.stringMatching(why) });
    }
    const ended = await fetch(`${fixture.url}/v1/session`, {
      method: 'DELETE',
      headers: sentBy(byLink),
    });
    expect(ended.status).toBe(204);

    await rm(filling);

    const session = async () =>
      z.object({ role: z.string() }).parse(await (await get('/v1/session')).json()).role;
    await expect.poll(session, { timeout: 10_000 }).toBe('operate');
    expect((await post('/v1/notes', body, headers)).status).toBe(201);
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
