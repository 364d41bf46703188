/** Parses kubectl's JSON output by a schema. */
import { errorText, parseJson } from '@skolo/base';
import type { OpenRack } from '@skolo/fleet';
import type { z } from 'zod';
import { CliError } from '../errors.ts';

/** @throws CliError kubectl fails, or prints something else. @throws The signal's reason. */
export async function kubectlJson<S extends z.ZodType>(
  { kubectl, rack }: Pick<OpenRack, 'kubectl' | 'rack'>,
  schema: S,
  args: readonly string[],
  signal: AbortSignal,
): Promise<z.output<S>> {
  const json = await kubectl([...args, '-o', 'json'], { signal }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new CliError(`${rack.name}: ${errorText(cause)}`, undefined, { cause });
  });
  const { data } = schema.safeParse(parseJson(json));
  if (data !== undefined) return data;
  throw new CliError(`${rack.name}: kubectl ${args.join(' ')}: unexpected response`);
}
