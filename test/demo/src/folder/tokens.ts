import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { newToken } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import { writeMissingSecret } from './secret-files.ts';

/** The token of the person at this computer, below the demo's directory. */
export const operatorTokenFile = 'secrets/operator-token';
/** The same person's, for higher rights: seeing secrets, restoring a configuration. */
export const adminTokenFile = 'secrets/admin-token';

/** Generates tokens, if the rack reads them from a file of the demo's that does not exist yet. */
export async function makeUpTokens({ access: { tokens } }: Rack, dir: string): Promise<void> {
  if (tokens === undefined || !tokens.file.startsWith('secrets/')) return;
  const file = resolve(dir, tokens.file);
  if (await isThere(file)) return;
  const expiresInDays = 365;
  const operator = await newToken(file, { name: 'you', role: 'operate', expiresInDays });
  await writeMissingSecret(dir, operatorTokenFile, () => `${operator}\n`);
  const admin = await newToken(file, { name: 'you-as-admin', role: 'admin', expiresInDays });
  await writeMissingSecret(dir, adminTokenFile, () => `${admin}\n`);
}

async function isThere(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false;
  }
}
