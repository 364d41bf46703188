/**
 * The SHA-256 that a publisher gives for an image: in a file of its own beside it (raspberrypi.com), or in a list for the folder
 * (ubuntu.com). It shows that the image is complete. Who has made it is only as sure as the connection.
 */
import { PiError } from '../errors.ts';

/** Names of files with checksums, for an image. */
export function checksumFiles(name: string): string[] {
  return [`${name}.sha256`, 'SHA256SUMS'];
}

/** Lines as sha256sum writes them, `HEX  NAME` or `HEX *NAME`; or only the sum. */
export function checksumIn(text: string, name: string): string | undefined {
  for (const line of text.split(/\r?\n/)) {
    const [, sum, file] = /^([0-9a-fA-F]{64})(?:\s+\*?(\S.*?))?\s*$/.exec(line) ?? [];
    if (sum !== undefined && (file === undefined || file.replace(/^.*\//, '') === name)) {
      return sum.toLowerCase();
    }
  }
  return undefined;
}

export interface ChecksumNeeds {
  /** Of the image. */
  name: string;
  /** Text of a file in the same place; undefined where there is none. */
  read(name: string): Promise<string | undefined>;
}

/** @throws PiError Its publisher gives none. */
export async function publishedChecksum({ name, read }: ChecksumNeeds): Promise<string> {
  const files = checksumFiles(name);
  for (const file of files) {
    const text = await read(file);
    const sum = text === undefined ? undefined : checksumIn(text, name);
    if (sum !== undefined) return sum;
  }
  throw new PiError(
    'BASE',
    `${name}: no checksum in ${files.join(' or ')} beside it; give the one of its publisher with --sha256`,
  );
}
