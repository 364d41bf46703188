/** Remembers facts from look to look (this boot only), and which services an operator has failed over (for good). */
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseJson } from '@skolo/base';
import { readFileIfExists, syncFolder, writeFileAtomic } from '@skolo/base/durable/atomic-file';
import { existingUnitsFolder, FailedOver, failedOverFolder } from '@skolo/rack/jumphost';
import { z } from 'zod';
import { readJson } from '../json-file.ts';
import type { PodService } from '../units/services.ts';
import { Memory } from './decide.ts';

/** What a reboot forgets. */
const run = '/run/skolo-fallback';

const Remembered = Memory.extend({
  logged: z.string().default(''),
});
export type Remembered = z.output<typeof Remembered>;

/** A missing or broken file is an empty memory. What a file lacks is as in an empty one. */
export async function recall({ name }: PodService): Promise<Remembered> {
  return (await readJson(join(run, `${name}.json`), Remembered)) ?? Remembered.parse({});
}

export async function remember({ name }: PodService, memory: Remembered): Promise<void> {
  await writeJson(join(run, `${name}.json`), memory, false);
}

/** Seconds since boot of the last copy of the configuration; undefined where this boot had none. */
export async function lastCopy(): Promise<number | undefined> {
  return await readJson(join(run, 'copied'), z.number());
}

export async function rememberCopy(uptime: number): Promise<void> {
  await writeJson(join(run, 'copied'), uptime, false);
}

/** An operator has failed the service over. An unreadable file counts, too. */
export async function readFailedOver(service: PodService): Promise<FailedOver | undefined> {
  const text = await readFileIfExists(failedOverFile(service));
  if (text === undefined) return undefined;
  return FailedOver.safeParse(parseJson(text)).data ?? { by: 'somebody', since: 'unknown' };
}

export async function writeFailedOver(service: PodService, failedOver: FailedOver): Promise<void> {
  await writeJson(failedOverFile(service), failedOver);
}

export async function removeFailedOver(service: PodService): Promise<void> {
  await rm(failedOverFile(service), { force: true });
  await syncFolder(failedOverFolder).catch(() => undefined);
}

/** Units of an existing system that have served in its place; empty where there were none. */
export async function readExisting({ name }: PodService): Promise<string[]> {
  return (await readJson(join(existingUnitsFolder, `${name}.json`), z.array(z.string()))) ?? [];
}

export async function writeExisting({ name }: PodService, units: readonly string[]): Promise<void> {
  await writeJson(join(existingUnitsFolder, `${name}.json`), units);
}

function failedOverFile({ name }: PodService): string {
  return join(failedOverFolder, `${name}.json`);
}

async function writeJson(file: string, value: unknown, isOpen = true): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: isOpen ? 0o755 : 0o700 });
  await writeFileAtomic(file, `${JSON.stringify(value)}\n`, { mode: isOpen ? 0o644 : 0o600 });
}
