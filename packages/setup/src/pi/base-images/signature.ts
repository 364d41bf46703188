/**
 * Verifies OpenPGP signatures that a publisher provides with an image: of the list of checksums (ubuntu.com: SHA256SUMS.gpg, debian.org:
 * SHA256SUMS.sign), or of the image (raspberrypi.com: NAME.sig). gpgv verifies them with keys that the user specifies. No key is built in.
 * Sources: gpgv(1); doc/DETAILS of GnuPG, VALIDSIG.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, tempFolder } from '@skolo/base';
import { run } from '@skolo/base/run';
import { PiError } from '../errors.ts';

/** Names of files with the signature of a file. */
export function signatureFiles(name: string): string[] {
  return ['.sig', '.gpg', '.sign', '.asc'].map((end) => `${name}${end}`);
}

interface Signed {
  /** The signed data: a file, or its bytes. */
  data: string | Buffer;
  signature: Buffer;
  /** Of the signature, for messages. */
  name: string;
}

/** @param keyring a file of public keys, armored or not @returns fingerprint of the key @throws PiError */
export async function checkSignature(
  { data, signature, name }: Signed,
  keyring: string,
  signal: AbortSignal,
): Promise<string> {
  await using temp = await tempFolder('skolo-signature-');
  const folder = temp.path;
  const [keys, signed] = [join(folder, 'keys'), join(folder, 'data')];
  try {
    await writeFile(keys, binary(await keysIn(keyring)));
    await writeFile(join(folder, 'signature'), signature);
    if (typeof data !== 'string') await writeFile(signed, data);
    const { stdout } = await run(
      'gpgv',
      [
        ...['--quiet', '--status-fd', '1', '--keyring', keys, '--', join(folder, 'signature')],
        typeof data === 'string' ? data : signed,
      ],
      { signal, env: { PATH: process.env.PATH, LC_ALL: 'C', GNUPGHOME: folder } },
    );
    const [, fingerprint] = /^\[GNUPG:\] VALIDSIG ([0-9A-F]{40,})/m.exec(stdout) ?? [];
    if (fingerprint === undefined) throw new Error('no VALIDSIG');
    return fingerprint;
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof PiError) throw cause;
    if (errorCode(cause) === 'ENOENT') {
      throw new PiError('gpgv is missing; run apt-get install gpgv, or omit --keyring', {
        cause,
      });
    }
    throw new PiError(
      `${name}: not a valid signature from a key in ${keyring}${whyOf(cause)}; download the image again, or specify the publisher's current key`,
      { cause },
    );
  }
}

async function keysIn(keyring: string): Promise<Buffer> {
  return await readFile(keyring).catch((cause: unknown) => {
    throw new PiError(`${keyring} cannot be read (${errorCode(cause)}); fix --keyring`, {
      cause,
    });
  });
}

/** gpgv does not read armored keys. Source: RFC 9580, 6.2. */
function binary(keys: Buffer): Buffer {
  const blocks = keys
    .toString('latin1')
    .matchAll(/^-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:\S.*\r?\n)*\r?\n([^=-]+={0,2})/gm);
  const found = [...blocks].map(([, text = '']) => Buffer.from(text, 'base64'));
  return found.length === 0 ? keys : Buffer.concat(found);
}

/** `NO_PUBKEY` and similar, from gpgv's status lines. */
function whyOf(error: unknown): string {
  const stdout = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
  const [, why] = /^\[GNUPG:\] (NO_PUBKEY|BADSIG|EXPKEYSIG|REVKEYSIG|EXPSIG)\b/m.exec(stdout) ?? [];
  return why === undefined ? '' : ` (${why})`;
}
