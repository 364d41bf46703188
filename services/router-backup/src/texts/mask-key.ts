/** Keys of masks: one for each device, from one that the state directory keeps. */
import { hkdfSync, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText } from '@skolo/base';
import type { Logger } from '@skolo/common';
import { writeFileAtomic } from '@skolo/durable';
import { deviceOf } from '../targets.ts';

const keyLength = 32;

/** The key of a device's masks. Its startup configuration has the same one. */
export type MaskKey = (device: string) => Uint8Array;

/**
 * The same secret of a device has the same mask tomorrow, because the key is stored. If that is not possible, the only effect is that the
 * next process's masks differ.
 */
export async function openMaskKey(stateDir: string, log: Pick<Logger, 'warn'>): Promise<MaskKey> {
  const file = join(stateDir, 'mask-key');
  const kept = await readFile(file).catch(() => undefined);
  const key = kept?.length === keyLength ? kept : randomBytes(keyLength);
  if (key !== kept) {
    await writeFileAtomic(file, key).catch((error: unknown) => {
      log.warn({ why: errorText(error) }, 'mask key could not be stored');
    });
  }
  return (device) => new Uint8Array(hkdfSync('sha256', key, '', deviceOf(device), keyLength));
}
