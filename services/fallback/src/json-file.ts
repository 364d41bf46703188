/** Reads a small JSON file that may be missing or broken. */
import { ifThere, parseJson } from '@skolo/base';
import { openPlainFile } from '@skolo/base/durable/atomic-file';

const mostBytes = 65_536;

/** Undefined for a file that is missing or broken, or where its directory's owner has put something else. */
export async function readJson<T>(
  file: string,
  schema: { safeParse(value: unknown): { data?: T | undefined } },
): Promise<T | undefined> {
  return schema.safeParse(parseJson((await readStart(file)) ?? '')).data;
}

/** Root reads files in directories of other users, so their size is limited, too. */
async function readStart(file: string): Promise<string | undefined> {
  await using handle = await ifThere(openPlainFile(file)).catch(() => undefined);
  const read = await handle?.read(Buffer.alloc(mostBytes), 0, mostBytes, 0);
  return read?.buffer.toString('utf8', 0, read.bytesRead);
}
