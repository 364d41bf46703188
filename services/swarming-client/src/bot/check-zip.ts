/** Asks Python whether a zip is a bot that it can run; see check_bot_zip.py. */
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { pythonFolder } from '../package-files.ts';
import type { RunCommand } from '../run-command.ts';
import { cleanEnvironment } from './environment.ts';

export const ZipCheck = z.discriminatedUnion('isSound', [
  z.object({ isSound: z.literal(true) }),
  z.object({ isSound: z.literal(false), why: z.string() }),
]);
export type ZipCheck = z.output<typeof ZipCheck>;

export interface CheckDeps {
  run: RunCommand;
  env: NodeJS.ProcessEnv;
  python: string;
  server: string;
  timeoutMs: number;
  signal: AbortSignal;
}

/**
 * @throws Error It could not be looked: that says nothing about the zip.
 * @throws The reason of the signal.
 */
export async function checkZip(path: string, deps: CheckDeps): Promise<ZipCheck> {
  const { run, env, python, server, timeoutMs, signal } = deps;
  const known = await stat(path).catch(() => undefined);
  if (known === undefined) return { isSound: false, why: 'it is not there' };
  if (!known.isFile()) return { isSound: false, why: 'it is no file' };
  const { status, stdout, stderr } = await run(
    python,
    ['-I', '-S', `${pythonFolder}/check_bot_zip.py`, path, server],
    { timeoutMs, signal, env: cleanEnvironment(env), mostBytes: 64 * 1024 },
  );
  const check = ZipCheck.safeParse(jsonOf(stdout)).data;
  if (status === 0 && check !== undefined) return check;
  const words = stderr.trim().split('\n').at(-1) || `status ${status ?? 'none'}`;
  throw new Error(`${python} cannot check the zip of the bot: ${words.slice(0, 200)}`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
