import { readFileIfExists } from '@skolo/durable/atomic-file';
import { parseJson } from '@skolo/errors';

/** Undefined for a file that is missing or broken. */
export async function readJson<T>(
  file: string,
  schema: { safeParse(value: unknown): { data?: T | undefined } },
): Promise<T | undefined> {
  return schema.safeParse(parseJson((await readFileIfExists(file)) ?? '')).data;
}
