/** What is remembered from look to look (this boot only), and which services an operator holds (for good). */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfExists, syncFolder, writeFileAtomic } from '@skolo/durable/atomic-file';
import { parseJson } from '@skolo/errors';
import { HeldService, heldFolder } from '@skolo/rack/stand-in';
import { z } from 'zod';
import { Memory, noMemory } from './decide.ts';
import type { PodService } from './services.ts';

/** What a reboot forgets. */
const run = '/run/skolo-stand-in';
/** Stays after a hand-over, for the way back. */
const former = '/var/lib/skolo/stand-in/former';

const Remembered = Memory.extend({
  /** What was last logged. */
  logged: z.string().default(''),
});
export type Remembered = z.output<typeof Remembered>;

/** A missing or broken file is an empty memory. */
export async function recall({ name }: PodService): Promise<Remembered> {
  const text = await readFileIfExists(join(run, `${name}.json`));
  const { data } = Remembered.safeParse(parseJson(text ?? ''));
  return data ?? { ...noMemory, logged: '' };
}

export async function remember({ name }: PodService, memory: Remembered): Promise<void> {
  await writeRun(`${name}.json`, JSON.stringify(memory));
}

/** Seconds since boot of the last copy of the configuration; undefined where this boot had none. */
export async function lastCopy(): Promise<number | undefined> {
  return z.number().safeParse(parseJson((await readFileIfExists(join(run, 'copied'))) ?? '')).data;
}

export async function rememberCopy(uptime: number): Promise<void> {
  await writeRun('copied', `${uptime}`);
}

async function writeRun(name: string, text: string): Promise<void> {
  await mkdir(run, { recursive: true, mode: 0o700 });
  await writeFileAtomic(join(run, name), `${text}\n`);
}

/** An operator has taken the service from k3s. An unreadable file is a hold, too. */
export async function readHold(service: PodService): Promise<HeldService | undefined> {
  const text = await readFileIfExists(holdFile(service));
  if (text === undefined) return undefined;
  return HeldService.safeParse(parseJson(text)).data ?? { by: 'somebody', since: 'unknown' };
}

export async function writeHold(service: PodService, hold: HeldService): Promise<void> {
  await mkdir(heldFolder, { recursive: true, mode: 0o755 });
  await writeFileAtomic(holdFile(service), `${JSON.stringify(hold)}\n`, { mode: 0o644 });
}

export async function removeHold(service: PodService): Promise<void> {
  await rm(holdFile(service), { force: true });
  await syncFolder(heldFolder).catch(() => undefined);
}

/** Units of a former system that have served in its place; empty where there were none. */
export async function readFormer({ name }: PodService): Promise<string[]> {
  const text = await readFileIfExists(join(former, `${name}.json`));
  return z.array(z.string()).safeParse(parseJson(text ?? '')).data ?? [];
}

export async function writeFormer({ name }: PodService, units: readonly string[]): Promise<void> {
  await mkdir(former, { recursive: true, mode: 0o755 });
  await writeFileAtomic(join(former, `${name}.json`), `${JSON.stringify(units)}\n`, {
    mode: 0o644,
  });
}

function holdFile({ name }: PodService): string {
  return join(heldFolder, `${name}.json`);
}
