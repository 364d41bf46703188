/**
 * The SHA-256 that a publisher provides for an image: in a separate file next to it (raspberrypi.com), or in a list for the directory
 * (ubuntu.com). It shows that the image is complete. Who has made it is only as sure as the connection, unless the
 * list is signed (signature.ts).
 */
import { PiError } from '../errors.ts';

/** Names of checksum files for an image. */
function checksumFiles(name: string): string[] {
  return [`${name}.sha256`, 'SHA256SUMS'];
}

/** Lines in sha256sum's format, `HEX  NAME` or `HEX *NAME`, or only the checksum. */
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
 * @param read a file in the same directory; undefined if it does not exist
 * @returns the checksum, and the file that contains it
 * @throws PiError Its publisher does not provide one.
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
    `${name}: no checksum for this image in ${files.join(' or ')}; specify the publisher's checksum with --sha256`,
  );
}
