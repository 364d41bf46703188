/** Shared by the tests in this directory. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { Secret } from '@skolo/base/secrets';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';

export const run = promisify(execFile);

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
