import { join } from 'node:path';
import { asError } from '@skolo/base';
import { makeFolder, readFileIfExists, writeFileAtomic } from '@skolo/base/durable';

/**
 * The last valid version of rack.yaml that was active, kept in the service's state directory for a restart. It is plain text, because
 * rack.yaml does not contain secrets.
 */
export class LastGoodCopy {
  readonly path: string;
  /** Why the newest version could not be written, and since when. */
  trouble: { error: Error; since: Date } | undefined;
  private readonly stateDir: string;
  private readonly onError: (error: Error) => void;
  private kept: string | undefined;

  constructor(stateDir: string, onError: (error: Error) => void) {
    this.stateDir = stateDir;
    this.path = join(stateDir, 'rack.last-good.yaml');
    this.onError = onError;
  }

  /** Undefined for a missing or unreadable copy. */
  async read(): Promise<string | undefined> {
    try {
      this.kept = await readFileIfExists(this.path);
      return this.kept;
    } catch (error) {
      this.onError(asError(error));
      return undefined;
    }
  }

  /** Writes a changed text. Never throws: a failure is `trouble`. */
  async write(text: string): Promise<void> {
    try {
      if (text !== this.kept) {
        await makeFolder(this.stateDir);
        await writeFileAtomic(this.path, text);
      }
      this.kept = text;
      this.trouble = undefined;
    } catch (thrown) {
      const error = asError(thrown);
      if (this.trouble?.error.message !== error.message) this.onError(error);
      this.trouble = { error, since: this.trouble?.since ?? new Date() };
    }
  }
}
