/** Restores an archive of the jumphost by its documented steps: `age -d | tar -xz`, decrypting with our code. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { decryptWith } from '@skolo/backup';
import type { Secret } from '@skolo/base/secrets';
import { aboutFile } from '../jumphost/archive.ts';

interface Restored {
  rack: string;
  jumphost: string;
  left: { path: string; why: string }[];
  /** The number of members. */
  files: number;
}

/** @param into a directory that does not exist yet */
export async function restoreArchive(
  file: string,
  identity: Secret,
  into: string,
): Promise<Restored> {
  await mkdir(into);
  const tar = spawn('tar', ['-xz', '-C', into], { stdio: ['pipe', 'inherit', 'inherit'] });
  const ended = once(tar, 'close');
  await pipeline(createReadStream(file), decryptWith([identity], file), tar.stdin);
  const [code] = await ended;
  if (code !== 0) throw new Error(`tar ended with ${code}`);
  const entries = await readdir(into, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name !== aboutFile).length;
  return { ...JSON.parse(await readFile(join(into, aboutFile), 'utf8')), files };
}
