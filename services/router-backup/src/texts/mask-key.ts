/** The key with which secrets are masked: one for each device, from one that the state directory keeps. */
import { hkdfSync, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, ifThere } from '@skolo/base';
import { writeFileAtomic } from '@skolo/base/durable';
import type { Logger } from '@skolo/common';
import { deviceOf } from '../targets.ts';

const keyLength = 32;

/** The key of a device's masks. Its startup configuration has the same one. */
export type MaskKey = (device: string) => Uint8Array;

/**
 * The same secret of a device has the same mask tomorrow, because the key is stored. If that is not possible, the only effect is that the
 * next process's masks differ.
 */
export async function openMaskKey(stateDir: string, log: Pick<Logger, 'warn'>): Promise<MaskKey> {
  const key = await readOrCreateKey(join(stateDir, 'mask-key')).catch((error: unknown) => {
    log.warn({ why: errorText(error) }, 'mask key could not be read or stored');
    return randomBytes(keyLength);
  });
  return (device) => new Uint8Array(hkdfSync('sha256', key, '', deviceOf(device), keyLength));
}

/** A key that cannot be read is not replaced: all masks would differ from now on. */
async function readOrCreateKey(file: string): Promise<Uint8Array> {
  const kept = await ifThere(readFile(file));
  if (kept?.length === keyLength) return kept;
  const key = randomBytes(keyLength);
  await writeFileAtomic(file, key);
  return key;
}
