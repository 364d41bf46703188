import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { downloader, type Release } from './downloads.ts';

const { signal } = new AbortController();
const content = 'the program';
const sums = `${createHash('sha256').update(content).digest('hex')}  k3s\n`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skolo-files-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A publisher on loopback; what it was asked for. */
async function publish(files: Record<string, string>) {
  const asked: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    asked.push(url);
    const file = files[url];
    response.statusCode = file === undefined ? 404 : 200;
    response.end(file);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const release: Release = {
    name: 'k3s-v1.32.5+k3s1',
    url: `http://127.0.0.1:${port}/v1.32.5+k3s1`,
    sums: 'sums.txt',
  };
  return { asked, release, close: () => server.close() };
}

describe('a download', () => {
  it('is checked, and kept for the next time', async () => {
    const publisher = await publish({
      '/v1.32.5%2Bk3s1/sums.txt': sums,
      '/v1.32.5%2Bk3s1/k3s': content,
    });
    const download = downloader({ folder, fetch, signal });

    const first = await download(publisher.release, 'k3s');
    publisher.close();
    const second = await download(publisher.release, 'k3s');

    expect(await readFile(first.file, 'utf8')).toBe(content);
    expect(second).toEqual(first);
    expect(publisher.asked).toHaveLength(2);
  });

  it('is fetched once where many computers want it at once', async () => {
    const publisher = await publish({
      '/v1.32.5%2Bk3s1/sums.txt': sums,
      '/v1.32.5%2Bk3s1/k3s': content,
    });
    const download = downloader({ folder, fetch, signal });

    const all = await Promise.all(
      Array.from({ length: 10 }, () => download(publisher.release, 'k3s')),
    );
    publisher.close();

    expect(new Set(all.map(({ file }) => file)).size).toBe(1);
    expect(publisher.asked).toHaveLength(2);
  });

  it('is refused where it is not what its publisher made', async () => {
    const publisher = await publish({
      '/v1.32.5%2Bk3s1/sums.txt': sums,
      '/v1.32.5%2Bk3s1/k3s': `${content}!`,
    });

    const download = downloader({ folder, fetch, signal })(publisher.release, 'k3s');

    await expect(download).rejects.toThrow(/is not the file of .*; delete it, and try again/);
    publisher.close();
  });

  it('that cannot be had says where to put the file', async () => {
    const publisher = await publish({ '/v1.32.5%2Bk3s1/sums.txt': sums });

    const download = downloader({ folder, fetch, signal })(publisher.release, 'k3s');

    await expect(download).rejects.toThrow(
      `cannot be fetched (status 404); fetch it on another computer, and put it at ${folder}/k3s-v1.32.5+k3s1/k3s`,
    );
    expect(await readdir(join(folder, publisher.release.name))).toEqual(['sums.txt']);
    publisher.close();
  });

  it('has to be in the list of checksums', async () => {
    const release = { name: 'node', url: 'http://127.0.0.1:1', sums: 'SHASUMS256.txt' };
    await mkdir(join(folder, 'node'));
    await writeFile(join(folder, 'node/SHASUMS256.txt'), sums);

    const download = downloader({ folder, fetch, signal })(release, 'node.tar.gz');

    await expect(download).rejects.toThrow(
      'has no checksum of node.tar.gz; is it another version?',
    );
  });
});
