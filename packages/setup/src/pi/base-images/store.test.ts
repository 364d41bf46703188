/** Base images from a server of HTTP with faults. */

import { createHash } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Fetch } from '@skolo/base/internet';
import { run, tempDir } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deleteImage, type FetchDeps, fetchImage, storedImages, verifyImage } from './store.ts';

const { signal } = new AbortController();
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Data, then zeros, then data. */
const image = Buffer.concat([
  // Which cannot be made smaller.
  createHash('shake256', { outputLength: 600_000 }).digest(),
  Buffer.alloc(4_000_000),
  Buffer.from('the end'),
]);

interface Keys {
  sign(bytes: Buffer): Promise<Buffer>;
  /** Files with the public key. */
  keyring: string;
  armored: string;
  /** With another key. */
  other: string;
}

/** Keys of a publisher; undefined where there is no gpg. */
async function makeKeys(folder: string): Promise<Keys | undefined> {
  if (lacks('gpg')) return undefined;
  const gpg = (...args: string[]) =>
    run('gpg', ['--batch', '--quiet', '--homedir', folder, '--passphrase', '', ...args]);
  const keyring = join(folder, 'ring');
  const [armored, other] = [`${keyring}.asc`, join(folder, 'other')];
  for (const user of ['publisher@test', 'other@test']) {
    await gpg('--quick-generate-key', user, 'ed25519', 'sign');
  }
  await gpg('--output', keyring, '--export', 'publisher@test');
  await gpg('--armor', '--output', armored, '--export', 'publisher@test');
  await gpg('--output', other, '--export', 'other@test');
  await run('gpgconf', ['--homedir', folder, '--kill', 'gpg-agent']);
  return {
    keyring,
    armored,
    other,
    async sign(bytes) {
      const file = join(folder, 'signed');
      await writeFile(file, bytes);
      await gpg('--yes', '-u', 'publisher@test', '--detach-sign', '--output', `${file}.sig`, file);
      return await readFile(`${file}.sig`);
    },
  };
}

const common = await tempDir(afterAll);
const keys = await makeKeys(common);
afterAll(async () => {
  // Signing starts an agent again.
  await run('gpgconf', ['--homedir', common, '--kill', 'gpg-agent']).catch(() => undefined);
});

describe.skipIf(lacks('xz'))('base images', () => {
  let server: Server;
  let base: string;
  let folder: string;
  let xz: Buffer;
  const files = new Map<string, Buffer>();
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let requests: string[] = [];

  /** As a server of files does it. */
  function plainly(request: IncomingMessage, response: ServerResponse, cutAt?: number) {
    const content = files.get(request.url?.slice(1) ?? '');
    if (content === undefined) return response.writeHead(404).end();
    const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
    const start = from !== undefined && request.headers['if-range'] === '"1"' ? Number(from) : 0;
    response.writeHead(start > 0 ? 206 : 200, {
      etag: '"1"',
      'content-length': content.length - start,
    });
    if (cutAt === undefined || start >= cutAt) return response.end(content.subarray(start));
    response.write(content.subarray(start, cutAt), () => request.socket.end());
  }

  beforeAll(async () => {
    const file = join(common, 'a.img');
    await writeFile(file, image);
    await run('xz', ['--block-size=100000', file]);
    xz = await readFile(`${file}.xz`);
    server = createServer((request, response) => {
      requests.push(`${request.url} ${request.headers.range ?? ''}`.trim());
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    folder = await tempDir();
    requests = [];
    answer = plainly;
    files.clear();
    files.set('a.img.xz', xz);
    files.set('a.img.xz.sha256', Buffer.from(`${sha256(xz)}  a.img.xz\n`));
  });

  const fetchIt = (from: string, deps: Partial<FetchDeps> = {}, to = folder) =>
    fetchImage(to, from, {
      fetch,
      signal,
      now: () => 0,
      pauseMs: 1,
      progress() {},
      report() {},
      ...deps,
    });

  it('are fetched, checked, unpacked without zeros, listed, verified and deleted', async () => {
    const stored = await fetchIt(`${base}/a.img.xz`);

    expect((await readFile(stored.path)).equals(image)).toBe(true);
    expect((await stat(stored.path)).blocks * 512).toBeLessThan(900_000);
    expect(await storedImages(folder)).toMatchObject([
      { name: 'a.img', sha256: sha256(image), publishedSha256: sha256(xz), size: image.length },
    ]);
    expect(await verifyImage(stored, signal)).toBe(true);
    expect(await readdir(join(folder, 'downloads'))).toEqual([]);
    await writeFile(stored.path, 'other');
    expect(await verifyImage(stored, signal)).toBe(false);
    await deleteImage(stored);
    expect(await storedImages(folder)).toEqual([]);
  });

  it('are fetched again if their record is damaged, which does not affect others', async () => {
    const [good, bad] = [await fetchIt(`${base}/a.img.xz`), join(folder, 'b.img')];
    await writeFile(bad, 'b');
    await writeFile(`${bad}.json`, '{');
    await writeFile(`${good.path}.json`, '{}');

    expect(await fetchIt(`${base}/a.img.xz`)).toEqual(good);
    expect(await storedImages(folder)).toEqual([
      good,
      { name: 'b.img', path: bad, damage: expect.stringMatching(/b\.img\.json: .*; delete it, /) },
    ]);
  });

  it.each([
    ['.img', (bytes: Buffer) => bytes],
    ['.img.gz', gzipSync],
    ['.img.zst', zstdCompressSync],
  ] as const)('are unpacked from %s, also from a file here', async (end, pack) => {
    const packed = pack(image);
    const file = join(folder, `b${end}`);
    await writeFile(file, packed);
    await writeFile(
      join(folder, 'SHA256SUMS'),
      `${'0'.repeat(64)}  a\n${sha256(packed)} *b${end}\n`,
    );
    const elsewhere = join(folder, 'store');

    const { path } = await fetchIt(file, {}, elsewhere);

    expect((await readFile(path)).equals(image)).toBe(true);
    expect((await readFile(file)).equals(packed)).toBe(true);
  });

  it('are not fetched again while the publisher has the same', async () => {
    await fetchIt(`${base}/a.img.xz`);
    requests = [];

    await fetchIt(`${base}/a.img.xz`);

    expect(requests).toEqual(['/a.img.xz.sha256']);
  });

  it.skipIf(lacks('gpg'))('are those of their publisher, by its key', async () => {
    const list = Buffer.from(`${sha256(xz)}  a.img.xz\n`);
    const { sign, keyring, armored, other } = keys as Keys;
    // As Raspberry Pi does it, for the image.
    files.set('a.img.xz.sig', await sign(xz));
    const { signedBy } = await fetchIt(`${base}/a.img.xz`, { keyring });
    expect(signedBy).toMatch(/^[0-9A-F]{40}$/);
    expect(await storedImages(folder)).toMatchObject([{ signedBy }]);
    files.set('a.img.xz.sig', await sign(list));
    await expect(fetchIt(`${base}/a.img.xz`, { keyring })).rejects.toThrow(
      /^a\.img\.xz\.sig: not a valid signature from a key in .* \(BADSIG\); download the image again, or specify/,
    );

    // As Ubuntu does it, for the list.
    files.clear();
    files
      .set('a.img.xz', xz)
      .set('SHA256SUMS', list)
      .set('SHA256SUMS.gpg', await sign(list));
    expect(await fetchIt(`${base}/a.img.xz`, { keyring: armored })).toMatchObject({ signedBy });
    requests = [];
    await expect(fetchIt(`${base}/a.img.xz`, { keyring: other })).rejects.toThrow('(NO_PUBKEY)');
    expect(requests).not.toContain('/a.img.xz');

    files.delete('SHA256SUMS.gpg');
    await expect(fetchIt(`${base}/a.img.xz`, { keyring })).rejects.toThrow(
      'a.img.xz: no signature found next to the image, such as SHA256SUMS.sig or a.img.xz.sig; omit --keyring',
    );
  });

  it('go on where the connection was interrupted off', async () => {
    const cut = Math.floor(xz.length / 2);
    answer = (request, response) => {
      const isFirst = request.headers.range === undefined;
      plainly(request, response, isFirst ? cut : undefined);
    };

    expect((await fetchIt(`${base}/a.img.xz`)).sha256).toBe(sha256(image));

    expect(requests).toEqual([
      '/a.img.xz.sha256',
      '/a.img.xz',
      expect.stringMatching(/^\/a\.img\.xz bytes=\d+-$/),
    ]);
  });

  it('go on in another run, and begin anew where the file is another one now', async () => {
    const cut = Math.floor(xz.length / 2);
    answer = (request, response) => {
      if (request.headers.range !== undefined) response.writeHead(503).end();
      else plainly(request, response, cut);
    };
    await expect(fetchIt(`${base}/a.img.xz`)).rejects.toThrow(
      /run the command again to resume the download after \d+ bytes/,
    );
    requests = [];
    // Without ranges, or with another validator, it sends all of it.
    answer = (_, response) => {
      response.writeHead(200, { etag: '"2"' }).end(xz);
    };
    const { sha256: sum } = await fetchIt(`${base}/a.img.xz`, { sha256: sha256(xz) });

    expect(sum).toBe(sha256(image));
    expect(requests).toEqual([expect.stringMatching(/^\/a\.img\.xz bytes=/)]);
  });

  it('end where the server is silent, after some tries', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.flushHeaders();
    };

    let tries = 0;
    const counted: Fetch = async (...request) => {
      tries += 1;
      // The checksum comes at once, however busy this computer is.
      if (String(request[0]).endsWith('.sha256')) {
        return new Response(`${'1'.repeat(64)}  a.img.xz`);
      }
      return await fetch(...request);
    };

    const silent = fetchIt(`${base}/a.img.xz`, { idleMs: 50, fetch: counted });

    await expect(silent).rejects.toThrow(/no data received for 0.05 s/);
    // One of them for the checksum.
    expect(tries).toBe(6);
  });

  it.each<[string, () => string | undefined, RegExp]>([
    [
      'with another checksum',
      () => void files.set('a.img.xz.sha256', Buffer.from(`${'1'.repeat(64)}  a.img.xz`)),
      /the SHA-256 [0-9a-f]{64} does not match the expected 1{64}/,
    ],
    [
      'without a checksum',
      () => void files.delete('a.img.xz.sha256'),
      /no checksum for this image in a.img.xz.sha256 or SHA256SUMS/,
    ],
    [
      'that are damaged',
      () => void files.set('a.img.xz', xz.subarray(0, -40)),
      /cannot be unpacked \(.*(Unexpected end|corrupt)/,
    ],
    ['that are not there', () => void files.delete('a.img.xz'), /the server returned 404/],
    ['of another kind', () => 'a.iso', /not an image name/],
  ])('%s are rejected, and leave nothing', async (_, change, why) => {
    const name = change() ?? 'a.img.xz';

    await expect(fetchIt(`${base}/${name}`)).rejects.toThrow(why);

    expect(await storedImages(folder)).toEqual([]);
    expect((await readdir(folder)).filter((each) => each !== 'downloads')).toEqual([]);
  });
});
