import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lacks } from '@skolo/simulators/peer';
import { expect, it, onTestFinished } from 'vitest';
import { keyFingerprint, sha256, sha256Bytes, sha256OfFile } from './sha256.ts';

// FIPS 180-2, appendix B.1.
const ofAbc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

it('is the digest of text, bytes and files', async () => {
  const file = join(await newFolder(), 'file');
  await writeFile(file, 'abc');

  expect(sha256('abc')).toBe(ofAbc);
  expect(sha256(Buffer.from('abc'))).toBe(ofAbc);
  expect(sha256Bytes('abc').toString('hex')).toBe(ofAbc);
  expect(await sha256OfFile(file)).toBe(ofAbc);
  await expect(sha256OfFile(file, AbortSignal.abort())).rejects.toThrow('aborted');
  await expect(sha256OfFile(`${file}s`)).rejects.toThrow('ENOENT');
});

it.skipIf(lacks('ssh'))('prints the fingerprint of a key as ssh-keygen does', async () => {
  const file = join(await newFolder(), 'key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  const [, key = ''] = (await readFile(`${file}.pub`, 'utf8')).split(' ');

  const line = execFileSync('ssh-keygen', ['-l', '-f', file], { encoding: 'utf8' });

  expect(line.split(' ')[1]).toBe(keyFingerprint(Buffer.from(key, 'base64')));
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sha256-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}
