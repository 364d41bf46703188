import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runCommand } from '@skolo/base/run-command';
import { tempDir } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators/peer';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ensureZip, type InstallDeps } from './install.ts';
import { newBot, type TestBot } from './testing/new-bot.ts';
import { python } from './testing/python.ts';
import { stubZip } from './testing/stub-bot.ts';
import { givesZip, startStubServer } from './testing/stub-server.ts';

async function whyNot(test: TestBot): Promise<string | undefined> {
  test.start();
  await expect.poll(() => test.bot.view().state).toBe('backing-off');
  return test.bot.view().why;
}

/** Nothing of a download is left. */
async function names(test: TestBot): Promise<string[]> {
  return [...(await readdir(test.folder)), ...(await readdir(test.botDir))];
}

const damages: [string, (zip: Buffer, server: string) => Buffer][] = [
  ['half a zip', (zip) => zip.subarray(0, zip.length / 2)],
  ['0 bytes', () => Buffer.alloc(0)],
  ['HTML', () => Buffer.from('<!doctype html><p>Sign in')],
  ['noise', () => Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251))],
  ['a flipped bit', (zip) => flipped(zip, 200)],
  ['another server', () => stubZip({ server: 'https://other.example' })],
  ['no entry', (_, server) => stubZip({ server, members: { '__main__.py': undefined } })],
  ['no server', (_, server) => stubZip({ server, members: { 'config/config.json': '{}' } })],
  ['other JSON', (_, server) => stubZip({ server, members: { 'config/config.json': '[' } })],
];

/** What puts a zip into the folder of a bot, without the bot. */
async function startInstall(limits: Partial<Pick<InstallDeps, 'stallMs' | 'downloadMs'>> = {}) {
  const folder = await tempDir();
  const botDir = join(folder, 's');
  await mkdir(botDir);
  const server = await startStubServer();
  onTestFinished(() => server.stop());
  const events: string[] = [];
  const deps: InstallDeps = {
    run: runCommand,
    env: process.env,
    python: python ?? '',
    server: server.url,
    botDir,
    botId: 'machine-1',
    token: async () => 'the-token',
    emit: ({ type }) => events.push(type),
    signal: new AbortController().signal,
    timeoutMs: 60_000,
    stallMs: 60_000,
    downloadMs: 60_000,
    ...limits,
  };
  return { folder, botDir, server, events, deps };
}

describe.skipIf(lacks('python3'))('fetching a bot', () => {
  it.each(damages)('fetches a zip anew that is %s', async (_, damage) => {
    await using test = await newBot({ zip: {} });
    await mkdir(test.botDir);
    const zip = stubZip({ server: test.server.url });
    await writeFile(join(test.botDir, 'swarming_bot.zip'), damage(zip, test.server.url));

    await test.running();

    expect(test.counts().downloads).toEqual({ ok: 1, failed: 0 });
    expect(await readFile(join(test.botDir, 'swarming_bot.zip'))).toEqual(zip);
    expect((await names(test)).filter((name) => name.includes('part'))).toEqual([]);
  });

  it('leaves a sound one as it is', async () => {
    await using test = await newBot();
    await mkdir(test.botDir);
    // As the bot puts it there when it has updated itself: more is in it than when it was downloaded.
    const zip = stubZip({ server: test.server.url, members: { more: 'x'.repeat(10_000) } });
    await writeFile(join(test.botDir, 'swarming_bot.zip'), zip);

    await test.running();

    expect(test.server.requests).toEqual([]);
  });

  it('puts it in the place of a folder', async () => {
    await using test = await newBot({ zip: {} });
    await mkdir(join(test.botDir, 'swarming_bot.zip/full'), { recursive: true });

    await test.running();
  });

  it.each<[string, RegExp, (response: ServerResponse, zip: Buffer) => void]>([
    [
      '403',
      /responded with 403 \(no access\); check that this machine's account/,
      (r) => r.writeHead(403).end('no access'),
    ],
    [
      '403 in red',
      /responded with 403 \(no \[31maccess\)/,
      (r) => r.writeHead(403).end('no\u001b[31maccess'),
    ],
    ['500', /\/bot_code responded with 500/, (r) => r.writeHead(500).end()],
    ['HTML', /did not send a valid bot: it is an HTML page/, (r) => r.end('<html>Sign in</html>')],
    ['nothing', /did not send a valid bot: it is empty/, (r) => r.end()],
    ['a redirect to nowhere', /responded with 302, but without/, (r) => r.writeHead(302).end()],
    ['a loop', /more than 5 redirects/, (r) => r.writeHead(302, { location: '/bot_code' }).end()],
    [
      'another scheme',
      /responded with 302, but without/,
      (r) => r.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    ],
    [
      'too much',
      /sent more than 67108864 bytes/,
      (r) => r.writeHead(200, { 'content-length': 2 ** 30 }).write('x'),
    ],
    [
      'half',
      /interrupted|aborted|bytes/,
      (r, zip) => {
        r.writeHead(200, { 'content-length': zip.length });
        r.write(zip.subarray(0, 100), () => r.destroy());
      },
    ],
    [
      'half without a length',
      /interrupted|aborted|damaged/,
      (r, zip) => {
        r.write(zip.subarray(0, 100), () => r.destroy());
      },
    ],
    ['a zip of another server', /it belongs to the server https:\/\/other/, () => undefined],
  ])('is not content with %s', async (what, why, answer) => {
    const test = await startInstall();
    const { server, botDir } = test;
    const named = what.includes('another server') ? 'https://other' : server.url;
    const zip = stubZip({ server: named });
    server.answer = (request, response) =>
      named === server.url ? answer(response, zip) : givesZip(zip)(request, response);

    await expect(ensureZip(test.deps)).rejects.toThrow(why);

    expect(existsSync(join(botDir, 'swarming_bot.zip'))).toBe(false);
    expect(await readdir(test.folder, { recursive: true })).toEqual(['s']);
    expect(test.events).toEqual(['bot-not-downloaded']);
  });

  it.each(['before its answer', 'in the middle'])(
    'gives up on a server that hangs %s',
    async (when) => {
      const test = await startInstall({ stallMs: 200 });
      test.server.answer = (_, response) => {
        if (when === 'in the middle')
          response.writeHead(200, { 'content-length': 1000 }).write('PK');
      };

      await expect(ensureZip(test.deps)).rejects.toThrow(/no data received for 0.2 s/);
    },
  );

  it('gives up on one that trickles', async () => {
    const test = await startInstall({ downloadMs: 500 });
    test.server.answer = (_, response) => {
      const timer = setInterval(() => response.write('P'), 20);
      response.on('close', () => clearInterval(timer));
    };

    await expect(ensureZip(test.deps)).rejects.toThrow(/no response within/);
  });

  it('sends its credential to no other server', async () => {
    const test = await startInstall();
    const other = await startStubServer();
    const zip = stubZip({ server: test.server.url });
    other.answer = (_, response) => response.end(zip);
    test.server.answer = (_, response) =>
      response.writeHead(302, { location: `${other.url}/elsewhere` }).end();

    await ensureZip(test.deps);
    await other.stop();

    expect(other.requests.map(({ path }) => path)).toEqual(['/elsewhere']);
    expect(JSON.stringify(other.requests)).not.toMatch(/the-token|authorization|machine-1/i);
  });

  it('tries again, and comes up', async () => {
    await using test = await newBot();
    test.server.answer = (_, response) => response.writeHead(500).end();

    expect(await whyNot(test)).toMatch(/\/bot_code responded with 500/);
    expect(test.counts()).toMatchObject({ starts: 0, downloads: { ok: 0 } });
    test.server.answer = givesZip(stubZip({ server: test.server.url }));

    await expect.poll(() => test.bot.view().state).toBe('running');
  });

  it('reports why there is no token, and prints none', async () => {
    await using test = await newBot({
      zip: {},
      token: async () => {
        throw new Error('metadata.internal: nobody listens there');
      },
    });

    expect(await whyNot(test)).toBe('metadata.internal: nobody listens there');

    expect(test.server.requests).toEqual([]);
    expect(test.logged.join('')).not.toContain('the-token');
  });

  it('reports that Python is missing, and goes on when it is there', async () => {
    await using test = await newBot({ zip: {} }, { python: '/usr/bin/no-python' });
    const right = python ?? '';

    expect(await whyNot(test)).toBe(
      '/usr/bin/no-python is not installed, but the bot requires Python 3.7 or newer; install it, or set `python` in rack.yaml',
    );
    test.settings.current &&= { ...test.settings.current, python: right };

    await expect.poll(() => test.bot.view().state).toBe('running');
  });

  it.each(['/bin/false', '/etc/hostname', '/bin/true'])(
    'says that %s is no Python',
    async (path) => {
      await using test = await newBot({ zip: {} }, { python: path });

      expect(await whyNot(test)).toMatch(new RegExp(`^${path} cannot run the bot: `));
    },
  );

  it('comes into a folder on another file system', async (context) => {
    const elsewhere = await mkdtemp('/dev/shm/bot-').catch(() =>
      context.skip('/dev/shm is not there'),
    );
    await using test = await newBot({ zip: {} });
    await symlink(elsewhere, test.botDir);

    await test.running();

    expect(test.read('swarming_bot.zip')?.length).toBeGreaterThan(100);
    expect((await names(test)).filter((name) => name.includes('part'))).toEqual([]);
    await test.bot.stop();
    await rm(elsewhere, { recursive: true });
  });

  it('waits for space on a disk that is full', async (context) => {
    if (process.getuid?.() !== 0) context.skip('needs root to mount a tmpfs');
    const run = promisify(execFile);
    await using test = await newBot();
    const disk = join(test.folder, 'disk');
    await mkdir(disk);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]).catch(() =>
      context.skip('may not mount a small tmpfs here'),
    );
    try {
      test.settings.current &&= { ...test.settings.current, botDir: join(disk, 's') };
      const members = { noise: randomBytes(200_000).toString('base64') };
      test.server.answer = givesZip(stubZip({ server: test.server.url, members }));

      expect(await whyNot(test)).toBe(`${disk}/s: the bot could not be saved: the disk is full`);
      await run('mount', ['-o', 'remount,size=8m', disk]);

      await expect.poll(() => test.bot.view().state).toBe('running');
      await test.bot.stop();
    } finally {
      await run('umount', ['-l', disk]);
    }
  });
});

function flipped(zip: Buffer, at: number): Buffer {
  const damaged = Buffer.from(zip);
  damaged[at] = (damaged[at] ?? 0) ^ 1;
  return damaged;
}
