/** Many files of a device as one tar, reproducibly: members sorted by name, times zero, numeric owners. */
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { asError } from '@skolo/base';
import { type Headers, type Pack, pack } from 'tar-stream';
import type { Content } from '../contract/backup.ts';
import { memberStream, padded, readTar, type TarMember } from './archive.ts';
import { blockSize, damaged } from './tar-header.ts';

export { memberStream, readTar, type TarMember } from './archive.ts';

/** An entry to write. Its reader must get exactly `size` bytes. */
export type NewMember = Omit<TarMember, 'offset'> & { content?: Buffer | (() => Readable) };

/** Writes an archive to a file, which is complete when this resolves. @throws Error A content is not as long as its `size`. */
export async function writeTar(
  members: Iterable<NewMember>,
  file: string,
): Promise<{ file: string; size: number }> {
  const tar = pack();
  const written = pipeline(tar, createWriteStream(file, { mode: 0o600 }));
  try {
    await Promise.all([written, fill(tar, inOrder(members))]);
  } catch (error) {
    // After an error, the file may still be opening: waits, so that the caller can remove its directory.
    await written.catch(() => undefined);
    throw error;
  }
  return { file, size: (await stat(file)).size };
}

/** At most how many bytes a member takes in an archive, including headers for a long name. */
export function writtenBytes({ name, target = '', size }: NewMember): number {
  return 3 * blockSize + padded(Buffer.byteLength(name + target)) + padded(size);
}

/** The same, in memory. */
export async function tarOf(members: Iterable<NewMember>): Promise<Buffer> {
  const tar = pack();
  const [bytes] = await Promise.all([buffer(tar), fill(tar, inOrder(members))]);
  return bytes;
}

/**
 * The members of another program's archive, ready to be written. Hard links become separate files, because their target may no longer
 * precede them.
 */
export async function membersToWrite(content: Content): Promise<NewMember[]> {
  const members = await readTar(content);
  const files = new Map(members.map((member) => [member.name, member]));
  return members.map((member) => {
    const from = member.type === 'hard-link' ? files.get(member.target ?? '') : member;
    if (from === undefined)
      throw damaged(`${member.name} refers to ${member.target}, which is not in the archive`);
    const { offset: _, ...about } = from;
    const stream = () => memberStream(content, from);
    return { ...about, name: member.name, ...(from.type === 'file' && { content: stream }) };
  });
}

async function fill(tar: Pack, members: readonly NewMember[]): Promise<void> {
  try {
    for (const member of members) await add(tar, member);
    tar.finalize();
  } catch (error) {
    tar.destroy(asError(error));
    throw error;
  }
}

/** By the bytes of the name, like `LC_ALL=C sort`. Directories precede their contents. */
function inOrder(members: Iterable<NewMember>): NewMember[] {
  const keyed = [...members].map((member) => ({ key: Buffer.from(member.name), member }));
  return keyed.sort((a, b) => Buffer.compare(a.key, b.key)).map(({ member }) => member);
}

/** tar-stream supports this, but its types lack it. */
interface PaxHeaders extends Headers {
  pax?: Record<string, string>;
}

const types = { file: 'file', folder: 'directory', link: 'symlink', 'hard-link': 'link' } as const;
/** tar-stream's limit: six octal digits. */
const largestId = 0o777777;
/** Omitted by tar-stream when writing. */
const aboveMode = 0o100000;

/** A member's header for tar-stream. Links and directories have no content. */
export function tarHeader(
  { name, type, mode, uid, gid, size, target }: Omit<TarMember, 'offset'>,
  mtime: Date,
): Headers {
  const ids = Object.entries({ uid, gid }).filter(([, id]) => id > largestId);
  const header: PaxHeaders = {
    name: type === 'folder' ? `${name}/` : name,
    type: types[type],
    // tar-stream treats 0 (some shadow files) as unset, so a higher bit is added.
    mode: mode | aboveMode,
    uid: Math.min(uid, largestId),
    gid: Math.min(gid, largestId),
    size: type === 'file' ? size : 0,
    mtime,
    ...(target !== undefined && { linkname: target }),
    ...(ids.length > 0 && { pax: Object.fromEntries(ids.map(([key, id]) => [key, String(id)])) }),
  };
  return header;
}

async function add(tar: Pack, member: NewMember): Promise<void> {
  const { type, content } = member;
  const entry = tar.entry(tarHeader(member, new Date(0)));
  const from = typeof content === 'function' ? content() : Readable.from(content ? [content] : []);
  await pipeline(type === 'file' ? from : Readable.from([]), entry);
}
