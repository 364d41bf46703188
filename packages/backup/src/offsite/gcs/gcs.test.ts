import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { serveExampleTest, startProxy, tempDir } from '@skolo/base/testing';
import { type GoogleStorageOptions, startGoogleStorage } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { soon } from '../../testing/offsite.ts';
import { type GcsOptions, gcsPlace } from './gcs.ts';

const name = '2026-11-20-router-da39a3ee5e6b4b0d3255bfef95601890afd80709.gz';
const about = { device: 'router', time: '2026-11-20T08:15:00.000Z', model: 'frr' };
const role =
  'grant the account the Storage Object User role (roles/storage.objectUser) on the bucket';

async function start(options: GoogleStorageOptions = {}) {
  const google = await startGoogleStorage({
    buckets: ['backups'],
    accepts: (token) => token === 'canary-token',
    ...options,
  });
  onTestFinished(() => google.close());
  const relay = await google.behindRelay();
  const dir = await tempDir();
  const content = randomBytes(100_000);
  const file = join(dir, 'outgoing');
  await writeFile(file, content);
  const open = (more: GcsOptions = {}, url = 'gs://backups/rack4') =>
    gcsPlace(url, { apiEndpoint: google.url, token: async () => 'canary-token', ...more });
  return { google, relay, file, content, open, place: open() };
}

function problem(code: number, message: string) {
  const errors = [{ message, domain: 'global', reason: 'x' }];
  return { status: code, body: { error: { code, message, errors } } };
}

/** So that files of 100 kB are larger than a chunk. */
async function startLarge(size = 700_000) {
  const lab = await start();
  const content = randomBytes(size);
  await writeFile(lab.file, content);
  return { ...lab, content, place: lab.open({ pieceBytes: 256 * 1024 }) };
}

const upload = /^POST \/upload\S+uploadType=multipart/;
const session = /^POST \/upload\S+uploadType=resumable/;
const piece = /^PUT \/upload/;
const download = /^GET \S+alt=media/;

describe('a bucket', () => {
  it('keeps what was put there, with the time when it was read', async () => {
    const { google, file, content, place } = await start();

    await place.put(name, file, about, soon());

    expect(await place.list(soon())).toEqual([
      { name, size: content.length, time: about.time, model: 'frr' },
    ]);
    expect((await buffer(place.read(name, soon()))).equals(content)).toBe(true);
    expect(google.objects('backups')[0]).toMatchObject({
      name: `rack4/${name}`,
      contentType: 'application/gzip',
      metadata: about,
    });
    expect(google.calls.map(({ operation, token }) => `${operation} ${token}`)).toEqual([
      'get canary-token',
      'insert canary-token',
      'get canary-token',
      'list canary-token',
      'media canary-token',
    ]);
  });

  it.each([
    ['gs://backups', '', 'gs://backups'],
    ['gs://backups/', '', 'gs://backups'],
    ['gs://backups/a/b/', 'a/b/', 'gs://backups/a/b'],
  ])('is %s', async (url, prefix, shown) => {
    const { google, file, open } = await start();
    const place = open({}, url);

    await place.put(name, file, about, soon());

    expect(place.url).toBe(shown);
    expect(google.objects('backups').map((object) => object.name)).toEqual([prefix + name]);
    expect((await place.list(soon())).map((object) => object.name)).toEqual([name]);
  });

  it('lists all pages of its folder, and no other', async () => {
    const { google, place } = await start();
    google.largestPage = 2;
    for (const each of ['rack4/c', 'rack4/a', 'rack4/b', 'rack4/old/d', 'rack40/e', 'f']) {
      google.put('backups', each, Buffer.from(each));
    }

    const objects = await place.list(soon());

    expect(objects.map((object) => object.name)).toEqual(['a', 'b', 'c']);
    expect(objects[0]?.time).toBe(google.objects('backups')[1]?.timeCreated);
  });

  it('removes, and does not mind what is not there', async () => {
    const { google, file, place } = await start();
    await place.put(name, file, about, soon());

    await place.remove(name, soon());
    await place.remove(name, soon());

    expect(google.objects('backups')).toEqual([]);
    await expect(buffer(place.read(name, soon()))).rejects.toMatchObject({
      code: 'not-found',
      message: `gs://backups/rack4: No such object: backups/rack4/${name}`,
    });
  });

  it('sends what is large in pieces', async () => {
    const { google, file, content, place } = await startLarge();

    await place.put(name, file, about, soon());

    expect(google.objects('backups')[0]).toMatchObject({ metadata: about });
    expect((await buffer(place.read(name, soon()))).equals(content)).toBe(true);
    expect(google.calls.filter(({ operation }) => operation === 'resume')).toHaveLength(3);
    expect(google.calls.find(({ operation }) => operation === 'start')?.token).toBe('canary-token');
  });

  it('goes on with what is large where the connection broke', async () => {
    const { google, relay, file, content, place } = await startLarge();
    relay.inject({ at: piece, after: { sent: 100_000 }, effect: 'reset', times: 1 });

    await place.put(name, file, about, soon());

    expect(google.objects('backups')[0]?.content.equals(content)).toBe(true);
    expect(google.calls.filter(({ operation }) => operation === 'start')).toHaveLength(1);
  });

  it.each(['small', 'large'])('leaves as it is what is there already: %s', async (size) => {
    const { google, file, place } = size === 'small' ? await start() : await startLarge();
    await place.put(name, file, about, soon());
    const { generation } = google.objects('backups')[0] ?? {};
    google.withhold('storage.objects.delete');

    // Encryption makes it a different file each time.
    await writeFile(file, randomBytes(50_000));
    await place.put(name, file, about, soon());

    expect(google.objects('backups')).toMatchObject([{ generation }]);
  });

  it('knows when the same content was read last', async () => {
    const { file, place } = await start();
    const later = { ...about, time: '2026-11-20T20:15:00.000Z' };

    await place.put(name, file, about, soon());
    await place.put(name, file, later, soon());
    await place.put(name, file, about, soon());

    expect(await place.list(soon())).toMatchObject([{ time: later.time, model: 'frr' }]);
  });

  it('replaces what is there and damaged', async () => {
    const { google, file, content, place } = await start();
    google.put('backups', `rack4/${name}`, Buffer.from('something else'));

    await place.put(name, file, about, soon());

    expect(google.objects('backups')[0]?.content.equals(content)).toBe(true);
  });

  it('takes it for done where somebody else was faster', async () => {
    const { google, relay, file, content, place } = await start();
    const fault = relay.inject({ at: upload, effect: 'wait' });

    const putting = place.put(name, file, about, soon());
    await fault.struck();
    google.put('backups', `rack4/${name}`, content);
    fault.end();
    await putting;

    expect(google.calls.map(({ operation, status }) => `${operation} ${status}`)).toEqual([
      'get 404',
      'insert 412',
      'get 200',
    ]);
  });
});

describe('a bucket that fails', () => {
  it.each(['small', 'large'])('says what arrived wrong, removes nothing: %s', async (size) => {
    const { google, file, content, place } = size === 'small' ? await start() : await startLarge();
    google.spoilUploads(1);

    await expect(place.put(name, file, about, soon())).rejects.toMatchObject({
      code: 'damaged',
      message: expect.stringContaining(
        `${name} was not stored correctly: sent ${content.length} b`,
      ),
    });
    expect(google.objects('backups')).toHaveLength(1);

    await place.put(name, file, about, soon());
    expect(google.objects('backups')[0]?.content.equals(content)).toBe(true);
    expect(google.calls.map(({ operation }) => operation)).not.toContain('delete');
  });

  it('sees what it gets wrong', async () => {
    const { google, file, place } = await start();
    await place.put(name, file, about, soon());
    google.spoil('backups', `rack4/${name}`);

    await expect(buffer(place.read(name, soon()))).rejects.toMatchObject({ code: 'damaged' });
  });

  it.each([
    ['status 503: Backend Error', problem(503, 'Backend Error')],
    ['status 429: Too many requests', problem(429, 'Too many requests')],
    ['status 502: an HTML page', { status: 502, body: '<!DOCTYPE html>' }],
    ['the response is not from the Cloud Storage API', { status: 200, body: 'welcome' }],
    ['the connection was interrupted', { effect: 'reset' }],
    ['no response within 0.3 s', { effect: 'silence' }],
  ] as const)('is unreachable: %s', async (reason, what) => {
    const { google, relay, file, open } = await start();
    const isSilent = 'effect' in what && what.effect === 'silence';
    const place = open({ patienceMs: isSilent ? 300 : 60_000 });
    if ('effect' in what) relay.inject(what);
    else google.script(what);
    const error = { code: 'unreachable', message: `gs://backups/rack4: ${reason}` };

    await expect(place.list(soon())).rejects.toMatchObject(error);
    await expect(place.put(name, file, about, soon())).rejects.toMatchObject(error);
    google.behave();
    relay.mend();

    const patient = open({ patienceMs: 60_000 });
    await patient.put(name, file, about, soon());
    expect(await patient.list(soon())).toHaveLength(1);
  });

  it.each([
    ['the upload', upload, 'small'],
    ['the start', session, 'large'],
    ['a piece', piece, 'large'],
  ] as const)('hangs in %s of a file: %s, %s', async (_, at, size) => {
    const { google, relay, file, open } = size === 'small' ? await start() : await startLarge();
    const place = open({ patienceMs: 300, pieceBytes: 256 * 1024 });
    const fault = relay.inject({ at, effect: 'silence' });

    await expect(place.put(name, file, about, soon())).rejects.toMatchObject({
      code: 'unreachable',
      message: 'gs://backups/rack4: no response within 0.3 s',
    });

    // The client only closes a session's connection after its own timeout.
    if (at !== piece) await fault.givenUp();
    expect(fault.hits).toBe(1);
    expect(google.objects('backups')).toEqual([]);
  });

  it.each([
    ['reset', 'the connection was interrupted', 60_000],
    ['silence', 'no response within 0.3 s', 300],
  ] as const)('cuts a download: %s', async (effect, reason, patienceMs) => {
    const { relay, file, open, place } = await start();
    await place.put(name, file, about, soon());
    relay.inject({ at: download, after: { answered: 50_000 }, effect });

    await expect(buffer(open({ patienceMs }).read(name, soon()))).rejects.toMatchObject({
      code: 'unreachable',
      message: `gs://backups/rack4: ${reason}`,
    });
  });

  it('drops what is sent, and has it the next time', async () => {
    const { google, relay, file, place } = await start();
    relay.inject({ at: upload, after: { sent: 20_000 }, effect: 'reset', times: 1 });

    await expect(place.put(name, file, about, soon())).rejects.toMatchObject({
      code: 'unreachable',
    });
    await place.put(name, file, about, soon());

    expect(google.objects('backups')).toHaveLength(1);
  });

  it('is not there, and comes back', async () => {
    const { google, file, place } = await start();
    await google.goDown();

    await expect(place.put(name, file, about, soon())).rejects.toMatchObject({
      code: 'unreachable',
      message: 'gs://backups/rack4: connection refused',
    });
    await google.comeUp();
    await place.put(name, file, about, soon());

    expect(google.objects('backups')).toHaveLength(1);
  });

  it('does not take the token', async () => {
    const { file, open } = await start();
    const place = open({ token: async () => 'canary-old' });
    const error = {
      code: 'rejected',
      message: 'gs://backups/rack4: the credentials were rejected: Invalid Credentials',
    };

    await expect(place.list(soon())).rejects.toMatchObject(error);
    await expect(place.put(name, file, about, soon())).rejects.toMatchObject(error);
  });

  it.each(['storage.objects.get', 'storage.objects.create'] as const)(
    'gives no permission: %s',
    async (permission) => {
      const { google, file, place } = await start();
      google.withhold(permission);

      await expect(place.put(name, file, about, soon())).rejects.toMatchObject({
        code: 'rejected',
        message: expect.stringMatching(
          new RegExp(`does not have ${permission} access.*; grant the account`),
        ),
      });
      google.withhold('storage.objects.list');
      await expect(place.list(soon())).rejects.toThrow(role);
    },
  );

  it('is missing', async () => {
    const { file, open } = await start();
    const place = open({}, 'gs://nobody');
    const error = { code: 'rejected', message: 'gs://nobody: the bucket does not exist' };

    await expect(place.list(soon())).rejects.toMatchObject(error);
    await expect(place.put(name, file, about, soon())).rejects.toMatchObject(error);
  });

  it.each(['list', 'put', 'get'] as const)('stops when it is told to: %s', async (what) => {
    const { google, relay, file, place } = await start();
    google.put('backups', `rack4/${name}`, Buffer.from('x'));
    relay.inject({ effect: 'silence' });
    const stopping = new AbortController();
    const { signal } = stopping;

    const working = {
      list: () => place.list(signal),
      put: () => place.put(name, file, about, signal),
      get: () => buffer(place.read(name, signal)),
    }[what]();
    stopping.abort(new Error('stopped'));

    await expect(working).rejects.toThrow('stopped');
  });

  it('never tells the token', async () => {
    const { google, relay, file, open } = await start();
    const place = open({ patienceMs: 300, pieceBytes: 256 * 1024 });
    await writeFile(file, randomBytes(300_000));
    const faults = [
      () => google.script(problem(503, 'Backend Error')),
      () => google.script({ status: 200, body: 'welcome' }),
      () => google.spoilUploads(1),
      () => relay.inject({ effect: 'reset' }),
      () => relay.inject({ after: { answered: 0 }, effect: 'reset' }),
      () => relay.inject({ effect: 'silence' }),
    ];
    for (const begin of faults) {
      begin();

      const errors = await Promise.all([
        place.put(name, file, about, soon()).catch((error: unknown) => error),
        place.list(soon()).catch((error: unknown) => error),
        buffer(place.read(name, soon())).catch((error: unknown) => error),
      ]);

      expect(inspect(errors, { depth: 20, showHidden: true })).not.toMatch(/canary|upload_id/);
      google.behave();
      relay.mend();
    }
  });

  it.each(['s3://backups', 'gs://', 'backups'])('cannot be %s', (url) => {
    expect(() => gcsPlace(url)).toThrow(
      `${url}: the address must have the form gs://BUCKET/FOLDER`,
    );
  });
});

it('has checksums as they are everywhere', async () => {
  const { google, file, content, place } = await start();

  await place.put(name, file, about, soon());

  const md5 = createHash('md5').update(content).digest('base64');
  expect(google.objects('backups')[0]).toMatchObject({ md5Hash: md5, metadata: { md5 } });
});

describe('behind a proxy', () => {
  /** Cloud Storage over TLS, under a name that only the proxy can resolve. */
  async function behindProxy() {
    const lab = await startLarge();
    const outside = 'https://storage.example.test';
    const port = await serveExampleTest((asked, answer) => {
      const { method, headers, url } = asked;
      asked.pipe(
        request(lab.google.url + url, { method, headers }, (response) => {
          const { location } = response.headers;
          const moved = location && { location: location.replace(lab.google.url, outside) };
          answer.writeHead(response.statusCode ?? 502, { ...response.headers, ...moved });
          response.pipe(answer);
        }),
      );
    });
    const proxy = await startProxy(() => port);
    for (const name of ['https_proxy', 'NO_PROXY', 'no_proxy', 'HTTP_PROXY']) vi.stubEnv(name, '');
    vi.stubEnv('HTTPS_PROXY', `http://ann:s3cret@${proxy.host}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    const place = (more: GcsOptions = {}) => lab.open({ apiEndpoint: outside, ...more });
    return { ...lab, ...proxy, place };
  }

  it('sends every request through it', async () => {
    const { file, content, place, connects } = await behindProxy();

    await place().put(name, file, about, soon());
    expect((await place().list(soon())).map(({ size }) => size)).toEqual([content.length]);
    expect((await buffer(place().read(name, soon()))).equals(content)).toBe(true);
    await place().remove(name, soon());

    expect(new Set(connects)).toEqual(new Set(['CONNECT storage.example.test:443']));
    expect(connects.length).toBeGreaterThanOrEqual(6);
  });

  it('names it in errors, without its password', async () => {
    const { place } = await behindProxy();
    const { host } = await startProxy(
      () => 0,
      (socket) => socket.end('HTTP/1.1 407 No\r\n\r\n'),
    );
    vi.stubEnv('https_proxy', `http://ann:s3cret@${host}`);

    for (const ask of [() => place().list(soon()), () => buffer(place().read(name, soon()))]) {
      const error = await ask().then(String, (thrown) => thrown);

      expect(error.message).toContain(`proxy ${host}`);
      expect(error.message).toContain('407');
      expect(inspect(error)).not.toContain('s3cret');
    }
  });
});
