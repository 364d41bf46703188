import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { errorCode } from '@skolo/base';
import { fileStamp, isSettled } from '@skolo/secrets';
import { maxTextLength } from '../yaml/yaml.ts';

/**
 * Content of a file: its text, or why it is unreadable (a system code, or EISDIR, ENOTREG, EFBIG). Equal keys mean equal
 * content.
 */
export type FileVersion = { key: string; text: string } | { key: string; unreadable: string };

/** UTF-8 needs at most three bytes for a character of JavaScript. */
const maxBytes = 3 * maxTextLength;

/** Without it, opening a named pipe would block. */
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK;

/** A file that is polled often and read only after a change. */
export class VersionedFile {
  private readonly path: string;
  /** Set only when an equal stamp proves equal content. */
  private stamp: string | undefined;
  private version: FileVersion | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Reads the file. Never throws: unreadable is a version, too. Costs an `open` and an `fstat` without a change; NFS needs
   * the `open` to ask its server.
   */
  async read(): Promise<FileVersion> {
    try {
      await using handle = await open(this.path, openFlags);
      const found = await handle.stat({ bigint: true });
      if (found.isDirectory()) return this.keep(unreadable('EISDIR'), undefined);
      if (!found.isFile()) return this.keep(unreadable('ENOTREG'), undefined);
      if (found.size > maxBytes) return this.keep(unreadable('EFBIG'), undefined);
      const before = fileStamp(found);
      if (this.version !== undefined && before === this.stamp) return this.version;
      const bytes = await handle.readFile();
      const after = await handle.stat({ bigint: true });
      const settled = before === fileStamp(after) && isSettled(after);
      return this.keep(versionOf(bytes), settled ? before : undefined);
    } catch (error) {
      const code = errorCode(error) ?? String(error);
      return this.keep(unreadable(code), undefined);
    }
  }

  private keep(version: FileVersion, stamp: string | undefined): FileVersion {
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
