/** A version of a configuration, checked against its SHA-1. */
import { createHash } from 'node:crypto';
import { ApiError, type Client, type routerBackupApi } from '@skolo/api';

interface ContentOptions {
  device: string;
  version: string;
  secrets: boolean;
  /** Deadline between any two bytes; default 30 s, because the service may have to search. */
  silenceMs?: number;
  /** Default 1 GiB. */
  mostBytes?: number;
}

/**
 * Masked text, or with `secrets` the bytes that the device sent.
 *
 * @throws ApiError
 * @throws ApiUnreachable
 */
export async function contentOf(
  client: Pick<Client<typeof routerBackupApi>, 'content'>,
  { device, version, secrets, silenceMs = 30_000, mostBytes = 2 ** 30 }: ContentOptions,
): Promise<Uint8Array> {
  const { bytes, headers } = await client.content({
    params: { device, version },
    query: secrets ? { secrets: 'true' } : {},
    mostBytes,
    timeoutMs: silenceMs,
  });
  const sha1 = headers.get('x-skolo-sha1');
  if (secrets && sha1 !== null && !isAge(bytes) && sha1 !== sha1Of(bytes)) {
    throw new ApiError(`GET content of ${device}`, {
      type: 'about:blank',
      title: 'unexpected answer',
      status: 200,
      detail: `the content does not match the SHA-1 ${sha1}; retry, or read a copy with --from`,
    });
  }
  return bytes;
}

/** An encrypted archive: its SHA-1 is that of its content, and age verifies it. */
function isAge(bytes: Uint8Array): boolean {
  const mark = 'age-encryption.org/v1\n';
  return Buffer.from(bytes.subarray(0, mark.length)).toString('latin1') === mark;
}

function sha1Of(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex');
}
