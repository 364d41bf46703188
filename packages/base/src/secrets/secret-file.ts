/** A secret's file that is used often: read and parsed again only if it has changed, so a rotated key needs no restart. */
import { NamedError, sha256 } from '@skolo/base';
import { fileStamp } from './file-stamp.ts';
import { readSecretFile, SecretError, statSecret } from './secret.ts';

/**
 * What a parser given to {@link SecretFile} throws when its message may be shown to people, that is, when it says what
 * is missing without quoting what is there. The messages of all other errors are withheld, since `JSON.parse`, for one, quotes.
 */
export class SecretFormatError extends NamedError {}

/**
 * A secret file that is used often, such as a service account's key: parsed when it is first read, and again only
 * when it has changed (rotated by rename, rewritten, or a ConfigMap's or Secret's symlink swapped).
 */
export class SecretFile<T> {
  private readonly path: string;
  private readonly parse: (text: string) => T;
  /** Set only when the stamp alone proves that nothing has changed. */
  private stamp: string | undefined;
  private digest: string | undefined;
  private outcome: { value: T } | { error: SecretError } | undefined;

  /**
   * @param path absolute
   * @param parse gets the text without one final newline; may throw. See {@link SecretFormatError}.
   */
  constructor(path: string, parse: (text: string) => T) {
    this.path = path;
    this.parse = parse;
  }

  /**
   * The parsed content of the file as it is now. Costs one `stat` when nothing has changed.
   *
   * @throws SecretError As {@link readSecret}, and SECRET_INVALID when `parse` throws.
   */
  async read(): Promise<T> {
    if (this.outcome === undefined || this.stamp !== fileStamp(await statSecret(this.path))) {
      await this.refresh();
    }
    if (this.outcome === undefined) throw new TypeError('a refreshed secret file has no outcome');
    if ('error' in this.outcome) throw this.outcome.error;
    return this.outcome.value;
  }

  private async refresh() {
    const { text, stamp, settled } = await readSecretFile(this.path);
    const digest = sha256(text);
    if (digest !== this.digest) this.outcome = this.parsed(text);
    this.digest = digest;
    this.stamp = settled ? stamp : undefined;
  }

  private parsed(text: string): { value: T } | { error: SecretError } {
    try {
      return { value: this.parse(text) };
    } catch (error) {
      const why =
        error instanceof SecretFormatError ? error.message : 'the file has the wrong content';
      return {
        error: new SecretError(
          'SECRET_INVALID',
          this.path,
          why,
          'replace it with the correct file',
        ),
      };
    }
  }
}
