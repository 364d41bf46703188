import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runCommand } from '@skolo/base/run-command';
import { tempDir } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators/peer';
import { describe, expect, it } from 'vitest';
import { checkZip } from './install.ts';
import { python } from './testing/python.ts';
import { stubZip } from './testing/stub-bot.ts';

const server = 'https://swarming.example';

describe.skipIf(lacks('python3'))('checking a zip', () => {
  it.each([
    ['', 'it is empty'],
    ['PK\u0003\u0004', 'damaged'],
    ['  <!doctype html>', 'HTML'],
  ])('a zip of %j is not sound', async (content, why) => {
    expect(await checked(Buffer.from(content))).toMatchObject({
      why: expect.stringContaining(why),
    });
  });

  it.each<[string, Record<string, string | undefined>, string]>([
    ['__main__.py', { '__main__.py': undefined }, '__main__.py is missing'],
    ['its configuration', { 'config/config.json': undefined }, 'config/config.json is missing'],
    ['a server', { 'config/config.json': '[]' }, 'does not specify a server'],
    [
      'the right server',
      { 'config/config.json': '{"server":"https://x"}' },
      'belongs to the server https://x',
    ],
  ])('a zip without %s is not sound', async (_, members, why) => {
    const zip = stubZip({ server, members });

    expect(await checked(zip)).toMatchObject({ why: expect.stringContaining(why) });
  });

  it('a zip whose length, bits or end were changed is not sound', async () => {
    const zip = stubZip({ server });
    // Each is a start of Python.
    for (let at = 1; at < zip.length; at += Math.ceil(zip.length / 12)) {
      expect(await checked(zip.subarray(0, at))).toMatchObject({ isSound: false });
    }
    const content = zip.indexOf('__main__.py') + 100;
    for (let at = content; at < content + 100; at += 25) {
      const damaged = Buffer.from(zip);
      damaged[at] = (damaged[at] ?? 0) ^ 4;
      expect(await checked(damaged)).toMatchObject({ isSound: false });
    }
    expect(await checked(zip)).toEqual({ isSound: true });
  });

  it.each([
    ['ZIP_STORED', true],
    ['ZIP_DEFLATED', true],
    ['ZIP_BZIP2', false],
    ['ZIP_LZMA', false],
  ])(
    'a zip made with %s is sound only if Python can start it, and never if damaged',
    async (method, isSound) => {
      const zip = await zipWith(method);
      const content = zip.indexOf('__main__.py') + 11;
      const directory = zip.indexOf('PK\u0001\u0002', 0, 'latin1');
      // The content, and in the directory the bit of encryption and another method.
      const damages = [
        [content + 30, 0xff],
        [directory + 8, 1],
        [directory + 10, 6],
      ] as const;

      for (const [at, bits] of damages) {
        const damaged = Buffer.from(zip);
        damaged[at] = (damaged[at] ?? 0) ^ bits;
        expect(await checked(damaged)).toMatchObject({ isSound: false });
      }
      expect(await checked(zip)).toMatchObject({ isSound });
    },
  );

  it('a zip that zipfile can read, but Python’s import cannot, is damaged', async () => {
    expect(await checked(await zipWith('ZIP_STORED', 9))).toMatchObject({
      isSound: false,
      why: expect.stringContaining('it is damaged: '),
    });
  });

  it('a check that fails proves nothing about the zip', async () => {
    const zip = stubZip({ server });

    await expect(checked(zip, '/bin/false')).rejects.toThrow(
      "/bin/false cannot check the bot's zip",
    );
    await expect(checked(zip, '/no/python')).rejects.toThrow('/no/python is not installed');
  });
});

const writeZip = `
import base64, io, json, sys, zipfile
method, server, missing = sys.argv[1], sys.argv[2], int(sys.argv[3])
file = io.BytesIO()
file.write(b'#' * missing)
with zipfile.ZipFile(file, 'w', getattr(zipfile, method)) as zip:
    zip.writestr('__main__.py', ''.join('print(%d)\\n' % (each * each) for each in range(200)))
    zip.writestr('config/config.json', json.dumps({'server': server}))
print(base64.b64encode(file.getvalue()[missing:]).decode())
`;

/** A bot's zip, of which this many bytes before the first member are missing. */
async function zipWith(method: string, missing = 0): Promise<Buffer> {
  const args = ['-c', writeZip, method, server, String(missing)];
  const { stdout } = await promisify(execFile)(python ?? '', args);
  return Buffer.from(stdout, 'base64');
}

async function checked(zip: Buffer, path = python ?? 'python3') {
  const file = join(await tempDir(), 'swarming_bot.zip');
  await writeFile(file, zip);
  return await checkZip(file, {
    run: runCommand,
    env: process.env,
    python: path,
    server,
    timeoutMs: 30_000,
    signal: new AbortController().signal,
  });
}
