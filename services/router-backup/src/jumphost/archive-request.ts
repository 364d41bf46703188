/**
 * How an archive gets from the host into the pod: through a directory of root, in which the pod's group may write. The service writes
 * `wanted`, on which systemd starts the program, and before it `without-history`, if the archive need not contain it. The program removes
 * both, and leaves the archive and `done.json`. It runs as root, so it only removes files of these names, creates files that do not exist,
 * and opens none that the pod could have made.
 */
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere, parseJson, pause } from '@skolo/base';
import { openPlainFile, readFileIfExists, writeFileAtomic } from '@skolo/base/durable';
import { BackupError } from '@skolo/equipment/models/configuration';
import { z } from 'zod';
import { archiveTemp, JumphostArchive } from './archive.ts';

/** A volume of the pod. Its parent belongs to root (deploy/jumphost/skolo.tmpfiles.conf), so nobody else can replace the directory. */
export const sharedFolder = '/var/lib/skolo/jumphost-archive';
/** So that the pod's group can read them. */
const mode = 0o640;
const wanted = 'wanted';
const withoutHistory = 'without-history';
const done = 'done.json';
const content = 'archive.age';

const Done = z.union([z.object({ failed: z.string() }), z.object({ archive: JumphostArchive })]);

/** Called by the program: accepts the request, and removes leftovers of previous ones. */
export async function acceptRequest(folder: string): Promise<{ history: boolean }> {
  const names = await readdir(folder);
  const killed = names.filter((name) => archiveTemp.test(name));
  for (const name of [done, content, ...killed, withoutHistory, wanted]) {
    await rm(join(folder, name), { force: true });
  }
  return { history: !names.includes(withoutHistory) };
}

/** Called by the program. */
export async function respond(folder: string, result: z.output<typeof Done>): Promise<void> {
  if ('archive' in result) {
    await using archive = await openPlainFile(result.archive.file);
    await archive.chmod(mode);
    await rename(result.archive.file, join(folder, content));
  }
  await writeFileAtomic(join(folder, done), JSON.stringify(result), { mode });
}

interface RequestOptions {
  /** Whether the archive must contain the machine history. */
  history: boolean;
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
  { history, acceptWithinMs, lookMs, signal }: RequestOptions,
): Promise<JumphostArchive | undefined> {
  const isShared = (await ifThere(readdir(folder))) !== undefined;
  if (!isShared) return undefined;
  for (const name of [done, withoutHistory]) await rm(join(folder, name), { force: true });
  if (!history) await writeFileAtomic(join(folder, withoutHistory), '');
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
