/**
 * Data that leaves the rack is encrypted with age (https://age-encryption.org/v1), to recipients in rack.yaml whose identities are kept
 * elsewhere. Debian's `age -d -i FILE` can decrypt it.
 */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ReadableStream } from 'node:stream/web';
import { Secret } from '@skolo/base/secrets';
import { BackupError } from '@skolo/equipment/models/configuration';
import { Decrypter, Encrypter } from 'age-encryption';
import { afterBeginning } from './beginning.ts';

/**
 * A `pipeline` stage that encrypts, 64 KiB at a time.
 *
 * @throws BackupError `rejected`: a recipient is missing or invalid
 */
export function encryptTo(recipients: readonly string[]) {
  const encrypter = new Encrypter();
  if (recipients.length === 0) {
    throw new BackupError('rejected', 'no age recipient is configured for encryption');
  }
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch (error) {
      throw new BackupError('rejected', `${recipient} is not an age recipient`, { cause: error });
    }
  }
  return async function* encrypted(plain: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    yield* await encrypter.encrypt(ReadableStream.from(plain));
  };
}

/**
 * A `pipeline` stage that decrypts. Its output must not be trusted until it ends without an error.
 *
 * @param what for people: what is encrypted
 * @throws BackupError `no-key`: no identity decrypts it. `damaged`: it is incomplete, or not an age file
 */
export function decryptWith(identities: readonly Secret[], what: string) {
  return async function* decrypted(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    if (identities.length === 0) {
      throw new BackupError('no-key', `${what} is encrypted; ${give}`);
    }
    const decrypter = new Decrypter();
    for (const identity of identities) decrypter.addIdentity(identity.reveal());
    const checked = afterBeginning(content, mostHeader, (beginning) => {
      if (beginning.length >= mostHeader && !beginning.subarray(0, mostHeader).includes('\n--- '))
        throw new BackupError('damaged', `${what}: its age header is too large`);
    });
    try {
      yield* await decrypter.decrypt(ReadableStream.from(checked));
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('no identity matched')) {
        const given =
          identities.length === 1
            ? 'the specified identity'
            : `any of the ${identities.length} specified identities`;
        throw new BackupError('no-key', `${what} is not encrypted for ${given}; ${give}`);
      }
      if (error instanceof BackupError) throw error;
      throw new BackupError('damaged', `${what} cannot be decrypted, because it is damaged`, {
        cause: error,
      });
    } finally {
      // After an error, the library leaves the file open.
      await checked.return(undefined);
    }
  };
}

/** Hundreds of recipients. Each one is tried with each identity, before anything is authenticated. */
const mostHeader = 64 << 10;

const give =
  'specify the identity file of a recipient of this copy (it contains a line AGE-SECRET-KEY-1…)';

/** Decrypts all of it in memory. @throws BackupError `no-key`, `damaged` */
export async function decrypt(
  content: Uint8Array,
  identities: readonly Secret[],
  what: string,
): Promise<Buffer> {
  return await buffer(decryptWith(identities, what)(Readable.from([content])));
}

/**
 * The identities in a file in `age-keygen`'s format: one per line, with comments and empty lines.
 *
 * @param where for people: the file
 * @throws BackupError `no-key`: there is none, or a line is invalid
 */
export function parseIdentities(file: Secret, where: string): Secret[] {
  const text = file.reveal();
  if (text.startsWith('age-encryption.org/') || text.startsWith('-----BEGIN AGE')) {
    throw new BackupError(
      'no-key',
      `${where}: this identity file is encrypted; decrypt it with age --decrypt to a file that only you can read, and specify that file`,
    );
  }
  const identities = text.split(/\r?\n/).flatMap((untrimmed, index) => {
    const line = untrimmed.trim();
    if (line === '' || line.startsWith('#')) return [];
    try {
      new Decrypter().addIdentity(line);
    } catch {
      // Without the cause, which would quote the key.
      throw new BackupError(
        'no-key',
        `${where}: line ${index + 1} is not an age identity (AGE-SECRET-KEY-1…)${hintFor(line)}`,
      );
    }
    return [new Secret(line)];
  });
  if (identities.length === 0) {
    throw new BackupError(
      'no-key',
      `${where} does not contain an age identity (a line AGE-SECRET-KEY-1…)`,
    );
  }
  return identities;
}

function hintFor(line: string): string {
  if (line.startsWith('age1')) return '; it is a recipient, which can only encrypt';
  if (line.startsWith('AGE-PLUGIN-')) return '; plugin identities are not supported';
  if (line.startsWith('-----BEGIN')) return '; SSH keys are not supported';
  return '';
}
