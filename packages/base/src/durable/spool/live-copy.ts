/**
 * A consistent copy of a journal or spool that may be in use, for a backup. Does not involve the writer, and changes no
 * file.
 *
 * It opens the segments, oldest first, each up to its last complete line, then the snapshot. A segment is deleted only
 * after a snapshot that covers it, or when it is not needed. So if a segment is gone, earlier ones are not needed either.
 * The copy contains everything that was acknowledged when it started. Data in the snapshot beyond the segments was written
 * meanwhile.
 */
import { type FileHandle, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { count, ifThere, pause } from '@skolo/base';
import { openPlainFile } from '../files/atomic-file.ts';
import { readLines } from './lines.ts';
import { bySegmentName, chunksOf, segmentName } from './segment.ts';
import { snapshotName } from './snapshots.ts';

interface LiveFile {
  name: string;
  size: number;
  /** Exactly `size` bytes. Callable once, before `close`. */
  stream(): Readable;
}

interface LiveCopy {
  files: LiveFile[];
  /** Description of damage; damaged files are copied unchanged. */
  damage?: string;
  /** Closes the files. */
  close(): Promise<void>;
}

interface LiveCopyOptions {
  signal?: AbortSignal;
  /** Attempts to read a file that seems damaged, or to find the newest one: it may be changing at that moment. */
  tries?: number;
}

/** Whether a directory with these files is a journal or a spool. */
export function isLiveFolder(names: readonly string[]): boolean {
  return names.some((name) => segmentName.test(name) || name === snapshotName);
}

/** Whether a file of such a directory is part of the copy, or irrelevant. */
export function isLiveFile(name: string): boolean {
  return segmentName.test(name) || name === snapshotName || name === 'lock';
}

/**
 * Copies the journal or spool in a directory; undefined for another directory.
 *
 * @throws Error From the system, or the reason of the signal.
 */
export async function copyLive(
  folder: string,
  { signal, tries = 20 }: LiveCopyOptions = {},
): Promise<LiveCopy | undefined> {
  signal?.throwIfAborted();
  const names = await readdir(folder);
  if (!isLiveFolder(names)) return undefined;
  const handles: FileHandle[] = [];
  const close = async () => {
    await Promise.all(handles.splice(0).map((handle) => handle.close()));
  };
  const files: LiveFile[] = [];
  const damage: string[] = [];
  try {
    const segments = names.filter((name) => segmentName.test(name)).sort(bySegmentName);
    for (const name of [...segments, snapshotName]) {
      const handle = await ifThere(openPlainFile(join(folder, name)));
      if (handle === undefined) {
        if (name !== snapshotName) files.length = 0;
        // Without a segment the copy would look damaged, and there is a newer one by now.
        if (name === segments.at(-1) && tries > 1) {
          await close();
          return await copyLive(folder, { ...(signal && { signal }), tries: tries - 1 });
        }
        continue;
      }
      handles.push(handle);
      const isNewest = name === segments.at(-1);
      let found = await examine(handle, isNewest);
      for (let left = tries; found.damagedLines > 0 && left > 1; left -= 1) {
        await pause(20, signal);
        found = await examine(handle, isNewest);
      }
      const { size, damagedLines } = found;
      if (damagedLines > 0) damage.push(`${name} has ${count(damagedLines, 'damaged line')}`);
      if (size > 0) files.push({ name, size, stream: () => streamOf(handle, size) });
    }
    return { files, ...(damage.length > 0 && { damage: damage.join(', ') }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** In the newest segment, bytes after the last newline are being written, except zeros. */
async function examine(handle: FileHandle, isNewest: boolean) {
  const { size: all } = await handle.stat();
  const found = { size: all, damagedLines: 0 };
  for await (const { bytes, offset } of chunksOf(handle, 0, () => all)) {
    const whole = bytes.lastIndexOf(10) + 1;
    const isTorn = isNewest && whole < bytes.length && !bytes.includes(0, whole);
    if (isTorn) found.size = offset + whole;
    readLines(isTorn ? bytes.subarray(0, whole) : bytes, offset, {
      record: () => undefined,
      damaged: () => {
        found.damagedLines += 1;
      },
    });
  }
  return found;
}

function streamOf(handle: FileHandle, size: number): Readable {
  return handle.createReadStream({ start: 0, end: size - 1, autoClose: false });
}
