/**
 * How an archive gets from the host into the pod: through a directory in the state directory. The service writes `wanted`, on which systemd
 * starts the program. The program removes that file, and leaves the archive and `done.json`.
 */
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere, parseJson, pause } from '@skolo/base';
import { readFileIfExists, writeFileAtomic } from '@skolo/durable';
import { BackupError } from '@skolo/models/configuration';
import { z } from 'zod';
import { JumphostArchive } from './archive.ts';

const wanted = 'wanted';
const done = 'done.json';
const content = 'archive.age';

const Done = z.union([z.object({ failed: z.string() }), z.object({ archive: JumphostArchive })]);

/** Called by the program: accepts the request, and removes leftovers of previous ones. */
export async function acceptRequest(folder: string): Promise<void> {
  const names = await readdir(folder);
  const old = names.filter((name) => name !== wanted && name !== done);
  for (const name of [done, ...old, wanted]) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Called by the program. */
export async function respond(folder: string, result: z.output<typeof Done>): Promise<void> {
  if ('archive' in result) await rename(result.archive.file, join(folder, content));
  await writeFileAtomic(join(folder, done), JSON.stringify(result));
}

interface RequestOptions {
  /** The program must accept the request within this time; otherwise, none is running on the host. */
  acceptWithinMs: number;
  lookMs: number;
  signal: AbortSignal;
}

export const usualLimits = { acceptWithinMs: 60_000, lookMs: 200 };

/**
 * Called by the service: returns an archive that was created on the host.
 *
 * @returns undefined: no program runs there, so the service archives what it can read itself
 * @throws BackupError `storage`: it could not be created
 */
export async function requestArchive(
  folder: string,
  { acceptWithinMs, lookMs, signal }: RequestOptions,
): Promise<JumphostArchive | undefined> {
  const isShared = (await ifThere(readdir(folder))) !== undefined;
  if (!isShared) return undefined;
  await rm(join(folder, done), { force: true });
  await writeFileAtomic(join(folder, wanted), '');
  const until = performance.now() + acceptWithinMs;
  for (;;) {
    const result = Done.safeParse(parseJson((await readFileIfExists(join(folder, done))) ?? ''));
    if (result.success && 'archive' in result.data) {
      return { ...result.data.archive, file: join(folder, content) };
    }
    if (result.success && 'failed' in result.data) {
      throw new BackupError('storage', `on the jumphost: ${result.data.failed}`);
    }
    const isAccepted = (await readFileIfExists(join(folder, wanted))) === undefined;
    if (!isAccepted && performance.now() > until) {
      await rm(join(folder, wanted), { force: true });
      return undefined;
    }
    await pause(lookMs, signal);
  }
}
