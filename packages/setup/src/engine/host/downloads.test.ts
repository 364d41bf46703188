import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { downloader, type Release, type UnknownSum } from './downloads.ts';

const { signal } = new AbortController();
const content = 'the program';
const sums = `${createHash('sha256').update(content).digest('hex')}  k3s\n`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skolo-files-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A person who has found the same checksum elsewhere. */
const confirm = async () => true;

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
    const download = downloader({ folder, fetch, signal, confirm });

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
    const download = downloader({ folder, fetch, signal, confirm });

    const all = await Promise.all(
      Array.from({ length: 10 }, () => download(publisher.release, 'k3s')),
    );
    publisher.close();

    expect(new Set(all.map(({ file }) => file)).size).toBe(1);
    expect(publisher.asked).toHaveLength(2);
  });

  it('is rejected where it is not what its publisher made', async () => {
    const publisher = await publish({
      '/v1.32.5%2Bk3s1/sums.txt': sums,
      '/v1.32.5%2Bk3s1/k3s': `${content}!`,
    });

    const download = downloader({ folder, fetch, signal, confirm })(publisher.release, 'k3s');

    await expect(download).rejects.toThrow(
      /does not match the file at .*; delete the local file and try again/,
    );
    publisher.close();
  });

  it('that cannot be had says where to put the file', async () => {
    const publisher = await publish({ '/v1.32.5%2Bk3s1/sums.txt': sums });

    const download = downloader({ folder, fetch, signal, confirm })(publisher.release, 'k3s');

    await expect(download).rejects.toThrow(
      `download failed (status 404); download it on another computer and save it as ${folder}/k3s-v1.32.5+k3s1/k3s`,
    );
    expect(await readdir(join(folder, publisher.release.name))).toEqual(['k3s.sha256']);
    publisher.close();
  });

  it('has to be in the list of checksums', async () => {
    const publisher = await publish({ '/v1.32.5%2Bk3s1/sums.txt': sums });

    const download = downloader({ folder, fetch, signal, confirm })(publisher.release, 'k3s-arm64');

    await expect(download).rejects.toThrow(
      'does not contain a checksum for k3s-arm64; check the version',
    );
    publisher.close();
  });
});

describe('a checksum from the server that it protects', () => {
  /** What persons were asked, and what they answered. */
  function asking(answer: boolean) {
    const asked: UnknownSum[] = [];
    const ask = async (sum: UnknownSum) => {
      asked.push(sum);
      return answer;
    };
    return { asked, download: downloader({ folder, fetch, signal, confirm: ask }) };
  }

  /** Of a server that was taken over: its list fits its file. */
  async function publishEvil() {
    const evil = 'another program';
    const sha256 = createHash('sha256').update(evil).digest('hex');
    const files = { '/v1.32.5%2Bk3s1/sums.txt': `${sha256}  k3s\n`, '/v1.32.5%2Bk3s1/k3s': evil };
    return { ...(await publish(files)), sha256 };
  }

  it('counts only once a person has confirmed it', async () => {
    const { release, asked, sha256, close } = await publishEvil();
    const { download, asked: questions } = asking(false);

    await expect(download(release, 'k3s')).rejects.toThrow(
      `k3s: the checksum comes from the same server as the file and has not been confirmed; obtain ${release.url}/sums.txt from an independent source and save it as ${folder}/${release.name}/sums.txt`,
    );
    close();
    expect(questions).toEqual([{ url: `${release.url}/sums.txt`, name: 'k3s', sha256 }]);
    expect(asked).toEqual(['/v1.32.5%2Bk3s1/sums.txt']);
    expect(await readdir(join(folder, release.name))).toEqual([]);
  });

  it('is asked for once, by however many computers and commands', async () => {
    const publisher = await publish({
      '/v1.32.5%2Bk3s1/sums.txt': sums,
      '/v1.32.5%2Bk3s1/k3s': content,
    });
    const { download, asked } = asking(true);
    await Promise.all(Array.from({ length: 10 }, () => download(publisher.release, 'k3s')));
    publisher.close();

    const later = asking(false);
    expect((await later.download(publisher.release, 'k3s')).file).toContain('/k3s');
    expect([asked.length, later.asked.length]).toEqual([1, 0]);
  });

  it('is not asked for where skolo has it, and the file has to fit that', async () => {
    const { release, asked, close } = await publishEvil();
    const { download, asked: questions } = asking(true);
    const known = createHash('sha256').update(content).digest('hex');

    await expect(download({ ...release, known }, 'k3s')).rejects.toThrow(
      'does not match the file at',
    );
    close();
    expect(questions).toEqual([]);
    expect(asked).toEqual(['/v1.32.5%2Bk3s1/k3s']);
  });

  it('is not asked for where somebody has put the list there', async () => {
    const { release, close } = await publishEvil();
    const { download, asked } = asking(true);
    await mkdir(join(folder, release.name));
    await writeFile(join(folder, release.name, 'sums.txt'), sums);

    await expect(download(release, 'k3s')).rejects.toThrow('does not match the file at');
    close();
    expect(asked).toEqual([]);
  });
});
