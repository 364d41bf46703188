import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { newToken } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import { writeMissingSecret } from './secret-files.ts';

/** The token of whoever sits in front of this computer, below the demo's folder. */
export const operatorTokenFile = 'secrets/operator-token';

/** Makes a token that may cycle machines, where the rack keeps its tokens in a file of the demo's that is not there yet. */
export async function makeUpOperatorToken(
  { access: { tokens } }: Rack,
  dir: string,
): Promise<void> {
  if (tokens === undefined || !tokens.file.startsWith('secrets/')) return;
  const file = resolve(dir, tokens.file);
  if (await isThere(file)) return;
  const token = await newToken(file, { name: 'you', role: 'operate', expiresInDays: 365 });
  await writeMissingSecret(dir, operatorTokenFile, () => `${token}\n`);
}

async function isThere(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false;
  }
}
