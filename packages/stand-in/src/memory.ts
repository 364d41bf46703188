/** What is remembered from look to look (this boot only), and who holds what (for good). */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfExists, syncFolder, writeFileAtomic } from '@skolo/durable/atomic-file';
import { z } from 'zod';
import { type Memory, noMemory } from './decide.ts';
import type { Places } from './places.ts';
import type { StandInService } from './services.ts';

const Remembered = z.object({
  isStandingIn: z.boolean(),
  silentSince: z.number().nullable(),
  readySince: z.number().nullable(),
  gaveWayAt: z.number().nullable(),
  hasAnsweredSince: z.boolean(),
  setbacks: z.number(),
  notBefore: z.number(),
  /** What was last logged. */
  said: z.string(),
});
export type Remembered = Memory & { said: string };

/** Nothing is remembered where the file is missing or broken: patience begins anew. */
export async function recall({ run }: Places, service: StandInService): Promise<Remembered> {
  try {
    return Remembered.parse(JSON.parse(await readFile(join(run, `${service.name}.json`), 'utf8')));
  } catch {
    return { ...noMemory, said: '' };
  }
}

export async function remember(
  { run }: Places,
  service: StandInService,
  memory: Remembered,
): Promise<void> {
  await mkdir(run, { recursive: true, mode: 0o700 });
  await writeFileAtomic(join(run, `${service.name}.json`), `${JSON.stringify(memory)}\n`);
}

const Hold = z.object({ by: z.string(), since: z.string() });
export type Hold = z.infer<typeof Hold>;

/** A person has taken the service from k3s. A file that cannot be read is a hold, too. */
export async function readHold(where: Places, service: StandInService): Promise<Hold | undefined> {
  const text = await readFileIfExists(holdFile(where, service));
  if (text === undefined) return undefined;
  try {
    return Hold.parse(JSON.parse(text));
  } catch {
    return { by: 'somebody', since: 'unknown' };
  }
}

export async function writeHold(where: Places, service: StandInService, hold: Hold): Promise<void> {
  await mkdir(join(where.state, 'held'), { recursive: true, mode: 0o755 });
  await writeFileAtomic(holdFile(where, service), `${JSON.stringify(hold)}\n`, { mode: 0o644 });
}

export async function removeHold(where: Places, service: StandInService): Promise<void> {
  await rm(holdFile(where, service), { force: true });
  await syncFolder(join(where.state, 'held')).catch(() => undefined);
}

function holdFile({ state }: Places, service: StandInService): string {
  return join(state, 'held', `${service.name}.json`);
}

/** Seconds since boot of the last copy of the configuration; undefined when there was none in this boot. */
export async function lastSync({ run }: Places): Promise<number | undefined> {
  const at = Number((await readFileIfExists(join(run, 'synced'))) ?? Number.NaN);
  return Number.isFinite(at) ? at : undefined;
}

export async function noteSync({ run }: Places, uptime: number): Promise<void> {
  await mkdir(run, { recursive: true, mode: 0o700 });
  await writeFileAtomic(join(run, 'synced'), `${uptime}\n`);
}
