import { join } from 'node:path';
import { makeFolder, readFileIfExists, writeFileAtomic } from '@skolo/durable';

/**
 * The last version of rack.yaml that was in force, kept in the service's state directory for a restart at a bad moment.
 * It is the text as it was: rack.yaml says where secrets are and holds none.
 */
export class LastGoodCopy {
  readonly path: string;
  /** Why the newest version could not be kept, and since when it is so. */
  trouble: { error: Error; since: Date } | undefined;
  private readonly stateDir: string;
  private readonly onError: (error: Error) => void;
  private kept: string | undefined;

  constructor(stateDir: string, onError: (error: Error) => void) {
    this.stateDir = stateDir;
    this.path = join(stateDir, 'rack.last-good.yaml');
    this.onError = onError;
  }

  /** Undefined where there is none, or none that can be read. */
  async read(): Promise<string | undefined> {
    try {
      this.kept = await readFileIfExists(this.path);
      return this.kept;
    } catch (error) {
      this.onError(asError(error));
      return undefined;
    }
  }

  /** Writes only what is not there yet. That it cannot be written is `trouble`, and never an error. */
  async keep(text: string): Promise<void> {
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

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
