/** Writes commits with a single `git fast-import`: files, trees, commits, and the branch last, or nothing. */

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type { Content } from '@skolo/equipment/models/backup';
import { startGit, written } from './git.ts';

interface NewCommits {
  branch: string;
  /** The branch's current commit; absent if it does not exist yet. */
  parent?: string | undefined;
  /** In their order. */
  commits: readonly NewCommit[];
}

export interface NewCommit {
  message: string;
  /** Seconds since 1970; what git cannot store is clamped. */
  committedAt: number;
  /** The committer in `git log`. */
  author: { name: string; email: string };
  /** Absent: the commit changes nothing. */
  file?: { path: string; content: Content; digest: Digest };
}

/** Hashes of a content: git's blob id, and the plain SHA-1. */
export interface Digest {
  size: number;
  sha1: string;
  blob: string;
}

/** Output is on disk when git exits; this requires git 2.36. */
export const durable = ['-c', 'core.fsync=all', '-c', 'core.fsyncMethod=fsync'];

const settings = [
  ...durable,
  // Always one pack, so that only one directory must be synced.
  ...['-c', 'fastimport.unpackLimit=0'],
  // Larger ones are streamed through a small buffer, not loaded into memory.
  ...['-c', 'core.bigFileThreshold=4m'],
];
const importMayTake = 600_000;
/** Seconds; some programs do not accept later dates. */
const latest = 0xffffffff;
const pieceSize = 1 << 20;

/**
 * The commits' ids. The branch moves once, to the last one.
 *
 * @throws GitFailed; Error if a content differs from the one that was hashed
 */
export async function importCommits(
  dir: string,
  { branch, parent, commits }: NewCommits,
): Promise<string[]> {
  const abort = new AbortController();
  const { stdin, stdout, ended } = startGit(
    [...settings, 'fast-import', '--quiet', '--done', '--date-format=raw'],
    { dir, signal: abort.signal, timeoutMs: importMayTake },
  );
  let answer = '';
  stdout.setEncoding('utf8').on('data', (text: string) => {
    answer += text;
  });
  try {
    let before = parent;
    for (const [index, commit] of commits.entries()) {
      const [blob, mark] = [`:${2 * index + 1}`, `:${2 * index + 2}`];
      if (commit.file) await writeBlob(stdin, blob, commit.file);
      await written(stdin, commands(commit, { branch, parent: before, blob, mark }));
      before = mark;
    }
    stdin.end('done\n');
  } catch (error) {
    abort.abort();
    await ended.catch(() => undefined);
    throw error;
  }
  await ended;
  return answer.trim().split('\n');
}

async function writeBlob(stdin: Writable, mark: string, file: NonNullable<NewCommit['file']>) {
  await written(stdin, `blob\nmark ${mark}\ndata ${file.digest.size}\n`);
  const hash = createHash('sha1');
  for await (const piece of pieces(file.content)) {
    hash.update(piece);
    await written(stdin, piece);
  }
  if (hash.digest('hex') !== file.digest.sha1) {
    throw new Error('the file changed while it was being stored');
  }
}

function commands(
  { message, committedAt, author, file }: NewCommit,
  at: { branch: string; parent: string | undefined; blob: string; mark: string },
) {
  const seconds = Math.min(Math.max(Math.floor(committedAt) || 0, 0), latest);
  const lines = [
    `commit refs/heads/${at.branch}`,
    `mark ${at.mark}`,
    `committer ${personal(author.name)} <${personal(author.email)}> ${seconds} +0000`,
    `data ${Buffer.byteLength(message)}`,
    message,
    ...(at.parent === undefined ? [] : [`from ${at.parent}`]),
    ...(file ? [`M 100644 ${at.blob} ${file.path}`] : []),
    `get-mark ${at.mark}`,
  ];
  return `${lines.join('\n')}\n`;
}

function personal(text: string) {
  return text.replaceAll(/[<>\p{Cc}]/gu, ' ').trim();
}

/** @throws Error of the file system, or the file does not have the expected length */
export async function digest(content: Content): Promise<Digest> {
  const size = 'bytes' in content ? content.bytes.length : content.size;
  const sha1 = createHash('sha1');
  const blob = createHash('sha1').update(`blob ${size}\0`);
  let seen = 0;
  for await (const piece of pieces(content)) {
    sha1.update(piece);
    blob.update(piece);
    seen += piece.length;
  }
  if (seen !== size) {
    throw new Error(`the file has ${seen} bytes instead of ${size}`);
  }
  return { size, sha1: sha1.digest('hex'), blob: blob.digest('hex') };
}

/** Exactly `size` bytes of a file, or fewer if it is shorter. */
export async function* pieces(content: Content): AsyncGenerator<Buffer> {
  if ('bytes' in content) {
    yield content.bytes;
    return;
  }
  await using handle = await open(content.file, 'r');
  for (let position = 0; position < content.size; ) {
    const length = Math.min(pieceSize, content.size - position);
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, position);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    position += bytesRead;
  }
}

/** Passes chunks on, and hashes them. */
export async function* hashed(
  chunks: AsyncIterable<Uint8Array>,
  hash: { update(chunk: Uint8Array): unknown },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}
