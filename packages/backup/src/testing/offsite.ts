/** Shared by the tests in this directory. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Secret } from '@skolo/secrets';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { onTestFinished } from 'vitest';

export const run = promisify(execFile);

/** A directory for one test, removed with it. */
export async function tempDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-offsite-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

export interface KeyPair {
  identity: Secret;
  recipient: string;
}

export async function newKeyPair(): Promise<KeyPair> {
  const identity = await generateX25519Identity();
  return { identity: new Secret(identity), recipient: await identityToRecipient(identity) };
}

/** Never aborted. */
export function soon(): AbortSignal {
  return new AbortController().signal;
}

export function sha1Of(content: Uint8Array): string {
  return createHash('sha1').update(content).digest('hex');
}
