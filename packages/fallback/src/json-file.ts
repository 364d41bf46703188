import { parseJson } from '@skolo/base';
import { readFileIfExists } from '@skolo/durable/atomic-file';

/** Undefined for a file that is missing or broken. */
export async function readJson<T>(
  file: string,
  schema: { safeParse(value: unknown): { data?: T | undefined } },
): Promise<T | undefined> {
  return schema.safeParse(parseJson((await readFileIfExists(file)) ?? '')).data;
}
