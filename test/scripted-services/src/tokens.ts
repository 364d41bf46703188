import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newToken } from '@skolo/common';

/** Tokens known to all services of a test. */
export interface TestTokens {
  file: string;
  /** Of ann, an admin. */
  admin: string;
  /** Of bob, an operator. */
  operate: string;
  remove(): Promise<void>;
}

export async function createTokens(): Promise<TestTokens> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-cli-tokens-'));
  const file = join(dir, 'tokens.yaml');
  const common = { expiresInDays: 1, now: Date.now() };
  return {
    file,
    admin: await newToken(file, { ...common, name: 'ann', role: 'admin' }),
    operate: await newToken(file, { ...common, name: 'bob', role: 'operate' }),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}
