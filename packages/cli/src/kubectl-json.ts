/** What kubectl prints as JSON, by a schema. */
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { parseJson } from '@skolo/errors';
import type { OpenRack } from '@skolo/fleet';
import type { z } from 'zod';
import { CliError } from './errors.ts';

/** @throws CliError kubectl fails, or prints something else. @throws The signal's reason. */
export async function kubectlJson<S extends z.ZodType>(
  { spawn, rack }: Pick<OpenRack, 'spawn' | 'rack'>,
  schema: S,
  args: readonly string[],
  signal: AbortSignal,
): Promise<z.output<S>> {
  const child = spawn('kubectl', [...args, '-o', 'json'], {
    signal,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('kubectl has no output');
  try {
    const [json, said, [code]] = await Promise.all([
      text(stdout),
      text(stderr),
      once(child, 'close'),
    ]);
    const { data } = schema.safeParse(parseJson(json));
    if (code === 0 && data !== undefined) return data;
    throw new CliError(
      `${rack.name}: kubectl ${args.join(' ')}: ${said.trim() || 'not the expected answer'}`,
    );
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}
