/**
 * The SHA-256 that a publisher gives for an image: in a file of its own beside it (raspberrypi.com), or in a list for the folder
 * (ubuntu.com). It shows that the image is complete. Who has made it is only as sure as the connection, unless the
 * list is signed (signature.ts).
 */
import { PiError } from '../errors.ts';

/** Names of files with checksums, for an image. */
function checksumFiles(name: string): string[] {
  return [`${name}.sha256`, 'SHA256SUMS'];
}

/** Lines as sha256sum writes them, `HEX  NAME` or `HEX *NAME`; or only the sum. */
function checksumIn(text: string, name: string): string | undefined {
  for (const line of text.split(/\r?\n/)) {
    const [, sum, file] = /^([0-9a-fA-F]{64})(?:\s+\*?(\S.*?))?\s*$/.exec(line) ?? [];
    if (sum !== undefined && (file === undefined || file.replace(/^.*\//, '') === name)) {
      return sum.toLowerCase();
    }
  }
  return undefined;
}

/**
 * @param name of the image
 * @param read a file in the same place; undefined where there is none
 * @returns the sum, and the file that has it
 * @throws PiError Its publisher gives none.
 */
export async function publishedChecksum(
  name: string,
  read: (name: string) => Promise<Buffer | undefined>,
) {
  const files = checksumFiles(name);
  for (const file of files) {
    const content = await read(file);
    const sum = content === undefined ? undefined : checksumIn(content.toString(), name);
    if (content !== undefined && sum !== undefined) return { sum, file, content };
  }
  throw new PiError(
    `${name}: no checksum for it in ${files.join(' or ')}; specify the publisher's checksum with --sha256`,
  );
}
