/** Manages base images on this workstation: downloaded once, verified and unpacked; which are current, and which are deleted. */
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorText, ifThere, parseJson, sha256OfFile } from '@skolo/base';
import { readFileIfExists, syncFolder, writeFileAtomic } from '@skolo/base/durable/atomic-file';
import { z } from 'zod';
import { PiError } from '../errors.ts';
import { type DownloadDeps, download, removeDownload } from './download.ts';
import { checkSignature, signatureFiles } from './signature.ts';
import { imageName, unpack } from './unpack.ts';

/** Beside each image. */
const Record = z.strictObject({
  /** A URL, or a file. */
  from: z.string(),
  /** SHA-256 of the published file, from its publisher. */
  publishedSha256: z.string(),
  /** Of the image. */
  sha256: z.string(),
  /** Bytes. */
  size: z.number(),
  /** RFC 3339. */
  fetched: z.string(),
  /** Fingerprint of the OpenPGP key; absent: its signature was not verified. */
  signedBy: z.string().optional(),
});

export interface StoredImage extends z.infer<typeof Record> {
  /** `raspios.img` */
  name: string;
  path: string;
}

/** Its record cannot be read. */
export interface DamagedImage extends Pick<StoredImage, 'name' | 'path'> {
  /** With the file to delete. */
  damage: string;
}

export interface FetchDeps extends DownloadDeps {
  now(): number;
  /** SHA-256 of the published file, instead of the publisher's checksum file. */
  sha256?: string;
  /** File with OpenPGP public keys, one of which must have signed the image. */
  keyring?: string;
  /** Current activity: `verifying and unpacking`. */
  report(text: string): void;
}

const recordOf = (path: string) => `${path}.json`;

/** All images, by name. */
export async function storedImages(folder: string): Promise<(StoredImage | DamagedImage)[]> {
  const names = (await ifThere(readdir(folder))) ?? [];
  const found: (StoredImage | DamagedImage)[] = [];
  for (const name of names.filter((each) => each.endsWith('.img')).sort()) {
    const path = join(folder, name);
    const text = await readFileIfExists(recordOf(path));
    // Without it, the image is not complete.
    if (text === undefined) continue;
    const record = Record.safeParse(parseJson(text));
    const damage = `${recordOf(path)}: the file is damaged; delete it, and run skolo pi images fetch again`;
    found.push({ name, path, ...(record.success ? record.data : { damage }) });
  }
  return found;
}

/** Downloads, verifies and unpacks an image. A local one stays unless its publisher now has a different one. @throws PiError */
export async function fetchImage(
  folder: string,
  from: string,
  deps: FetchDeps,
): Promise<StoredImage> {
  const isRemote = /^https?:\/\//.test(from);
  const file = basename(isRemote ? decodeURIComponent(new URL(from).pathname) : from);
  const name = imageName(file);
  if (name === undefined) {
    throw new PiError(
      `${from}: not an image name; it must consist of letters, digits and ".", "_", "+" or "-", and end with .img, .img.xz, .img.gz or .img.zst`,
    );
  }
  const beside = readerBeside(from, isRemote, deps);
  const listed = deps.sha256 === undefined ? await publishedChecksum(file, beside) : undefined;
  const wanted = listed?.sum ?? deps.sha256?.toLowerCase();
  const { keyring } = deps;
  const found = keyring === undefined ? undefined : await findSignature(file, listed?.file, beside);
  // The list's signature, before anything is downloaded.
  let signedBy =
    keyring !== undefined && listed !== undefined && found?.of === listed.file
      ? await checkSignature({ ...found, data: listed.content }, keyring, deps.signal)
      : undefined;
  const path = join(folder, name);
  const previous = (await storedImages(folder)).find((each) => each.name === name);
  const isVerified = found === undefined || signedBy !== undefined;
  const isIntact = previous !== undefined && !('damage' in previous);
  if (isIntact && previous.publishedSha256 === wanted && isVerified) return previous;
  // An interrupted download continues here.
  const downloads = join(folder, 'downloads');
  await mkdir(downloads, { recursive: true });
  const published = isRemote ? join(downloads, file) : from;
  if (isRemote) await download(from, published, deps);
  deps.report(`${name}: verifying and unpacking`);
  const draft = `${path}.partial`;
  try {
    if (keyring !== undefined && found !== undefined && signedBy === undefined) {
      signedBy = await checkSignature({ ...found, data: published }, keyring, deps.signal);
    }
    const unpacked = await unpack(published, draft, deps.signal);
    if (unpacked.publishedSha256 !== wanted) {
      throw new PiError(
        `${from}: the SHA-256 ${unpacked.publishedSha256} does not match the expected ${wanted}; download the image again`,
      );
    }
    const record = {
      from,
      ...unpacked,
      fetched: new Date(deps.now()).toISOString(),
      ...(signedBy !== undefined && { signedBy }),
    };
    await rm(recordOf(path), { force: true });
    await rename(draft, path);
    await syncFolder(folder);
    await writeFileAtomic(recordOf(path), JSON.stringify(record));
    return { name, path, ...record };
  } finally {
    await rm(draft, { force: true });
    // It is no longer required: either unpacked or wrong.
    if (isRemote && !deps.signal.aborted) await removeDownload(published);
  }
}

/** Whether the image is unchanged since it was downloaded. */
export async function verifyImage(
  { path, sha256 }: StoredImage,
  signal: AbortSignal,
): Promise<boolean> {
  return (await sha256OfFile(path, signal)) === sha256;
}

export async function deleteImage({ path }: Pick<StoredImage, 'path'>): Promise<void> {
  await rm(recordOf(path), { force: true });
  await rm(path, { force: true });
}

/** The signature of the checksum list, or else of the image. @throws PiError There is none. */
async function findSignature(
  image: string,
  list: string | undefined,
  read: (name: string) => Promise<Buffer | undefined>,
) {
  const signed = list === undefined ? [image] : [list, image];
  for (const of of signed) {
    for (const name of signatureFiles(of)) {
      const signature = await read(name);
      if (signature !== undefined) return { of, name, signature };
    }
  }
  const names = signed.map((each) => `${each}.sig`).join(' or ');
  throw new PiError(
    `${image}: no signature found next to the image, such as ${names}; omit --keyring, or use an image that its publisher signs`,
  );
}

/** Files in the same directory as an image. */
function readerBeside(from: string, isRemote: boolean, { fetch, signal }: FetchDeps) {
  return async (name: string): Promise<Buffer | undefined> => {
    if (!isRemote) return await ifThere(readFile(join(dirname(from), name)));
    const url = new URL(encodeURIComponent(name), from);
    try {
      const response = await fetch(url, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)]),
      });
      if (response.ok) return Buffer.from(await response.arrayBuffer());
      await response.body?.cancel();
      if (response.status === 404 || response.status === 403) return undefined;
      throw new Error(`the server returned ${response.status}`);
    } catch (cause) {
      signal.throwIfAborted();
      throw new PiError(`${url}: download failed (${errorText(cause)}); try again`, {
        cause,
      });
    }
  };
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
 * The SHA-256 that a publisher provides for an image: in a separate file next to it (raspberrypi.com), or in a list for the directory
 * (ubuntu.com). It shows that the image is complete. Who has made it is only as sure as the connection, unless the list is signed
 * (signature.ts).
 *
 * @param name of the image
 * @param read a file in the same directory; undefined if it does not exist
 * @returns the checksum, and the file that contains it
 * @throws PiError Its publisher does not provide one.
 */
async function publishedChecksum(
  name: string,
  read: (name: string) => Promise<Buffer | undefined>,
) {
  const files = [`${name}.sha256`, 'SHA256SUMS'];
  for (const file of files) {
    const content = await read(file);
    const sum = content === undefined ? undefined : checksumIn(content.toString(), name);
    if (content !== undefined && sum !== undefined) return { sum, file, content };
  }
  throw new PiError(
    `${name}: no checksum for this image in ${files.join(' or ')}; specify the publisher's checksum with --sha256`,
  );
}
