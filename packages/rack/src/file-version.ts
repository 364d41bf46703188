import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { errorCode } from '@skolo/errors';
import { fileStamp, isSettled } from '@skolo/secrets';
import { maxTextLength } from './yaml.ts';

/**
 * What was found at a path: its text, or why there is none (the system's code, or EISDIR, ENOTREG, EFBIG). Equal keys mean
 * equal content.
 */
export type FileVersion = { key: string; text: string } | { key: string; unreadable: string };

/** UTF-8 needs at most three bytes for what JavaScript counts as one character. */
const maxBytes = 3 * maxTextLength;

/** Opening a named pipe would wait for its writer for ever. */
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK;

/** A file that is looked at often and read only when it may have changed. */
export class VersionedFile {
  private readonly path: string;
  /** Set only when an equal stamp proves equal content. */
  private stamp: string | undefined;
  private version: FileVersion | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * The file as it is now. Never throws: that it cannot be read is a version, too. Costs an `open` and an `fstat` when
   * nothing has changed; it is opened because that is what makes NFS ask its server.
   */
  async look(): Promise<FileVersion> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(this.path, openFlags);
      const found = await handle.stat({ bigint: true });
      if (found.isDirectory()) return this.seen(unreadable('EISDIR'), undefined);
      if (!found.isFile()) return this.seen(unreadable('ENOTREG'), undefined);
      if (found.size > maxBytes) return this.seen(unreadable('EFBIG'), undefined);
      const before = fileStamp(found);
      if (this.version !== undefined && before === this.stamp) return this.version;
      const bytes = await handle.readFile();
      const after = await handle.stat({ bigint: true });
      const settled = before === fileStamp(after) && isSettled(after);
      return this.seen(versionOf(bytes), settled ? before : undefined);
    } catch (error) {
      const code = errorCode(error) ?? String(error);
      return this.seen(unreadable(code), undefined);
    } finally {
      await handle?.close();
    }
  }

  private seen(version: FileVersion, stamp: string | undefined): FileVersion {
    this.version = version;
    this.stamp = stamp;
    return version;
  }
}

function unreadable(code: string): FileVersion {
  return { key: `unreadable:${code}`, unreadable: code };
}

export function versionOf(content: Uint8Array | string): FileVersion & { text: string } {
  const text = typeof content === 'string' ? content : Buffer.from(content).toString('utf8');
  return { key: createHash('sha256').update(content).digest('hex'), text };
}
