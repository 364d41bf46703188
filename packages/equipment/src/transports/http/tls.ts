/**
 * Decides which TLS certificates of equipment are accepted. Equipment in racks has self-signed certificates for other names, so most
 * cannot be verified. But a password must not be sent to any host that responds, so such a device is trusted as over ssh: its public key
 * is pinned after a successful sign-in, or in rack.yaml (`hostKey`), and nothing is sent to a device with another key. A certificate
 * that verifies, for the address and by an authority that Node trusts, needs no pin. The key is pinned, not the certificate, which many
 * devices renew by themselves:
 *
 *     openssl s_client -connect ADDRESS:443 </dev/null | openssl x509 -pubkey -noout | openssl pkey -pubin -outform der |
 *       openssl dgst -sha256 -binary | base64
 *
 * prints the part after `SHA256:`, plus a trailing `=` to remove.
 */
import type { Socket } from 'node:net';
import { connect, DEFAULT_CIPHERS, type TLSSocket } from 'node:tls';
import { errorCode, keyFingerprint } from '@skolo/base';
import { z } from 'zod';
import { DeviceError, DeviceRejected } from '../errors.ts';
import { type HostKeys, keyChanged } from '../host-keys.ts';
import { socketError } from '../ssh/errors.ts';

/** Without ephemeral Diffie-Hellman, whose group the device chooses: one of 10,000 bits takes a second. */
const ciphers = `${DEFAULT_CIPHERS}:!DHE`;

interface TlsTarget {
  name: string;
  address: string;
  port: number;
  /** `SHA256:…`, pinned in rack.yaml. */
  hostKey: string | undefined;
}

interface TlsConnection {
  socket: TLSSocket;
  /** Trusts its key from now on. Call this once it has accepted the sign-in. */
  pin(): Promise<void>;
}

/**
 * @param plain a connection that does not use this computer's own network
 * @throws HostKeyChanged, DeviceRejected, DeviceUnreachable, or the signal's reason
 */
export async function connectTls(
  target: TlsTarget,
  hostKeys: HostKeys,
  signal: AbortSignal,
  plain?: Socket,
): Promise<TlsConnection> {
  const { name, address, port, hostKey } = target;
  signal.throwIfAborted();
  // Verified below, before anything is sent: for `host`, over an open connection, too, for which Node's default is `localhost`.
  const socket = connect({
    socket: plain,
    host: address,
    port,
    ciphers,
    rejectUnauthorized: false,
  });
  const abort = () => socket.destroy();
  signal.addEventListener('abort', abort);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      // For the socket's whole lifetime: an error without a listener would end the process.
      socket.on('error', reject);
      socket.once('close', () => reject(new Error('closed during the TLS handshake')));
    });
    const key = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' });
    if (key === undefined) throw new DeviceRejected(name, 'does not present a certificate');
    const shown = keyFingerprint(key);
    const pinned = hostKey ?? (socket.authorized ? undefined : hostKeys.get(name));
    if (pinned !== undefined && pinned !== shown) {
      throw keyChanged(target, 'the certificate key', shown, pinned);
    }
    const needsPin = hostKey === undefined && !socket.authorized;
    return { socket, pin: async () => (needsPin ? await hostKeys.pin(name, shown) : undefined) };
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw connectionError(target, error);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Translates errors of sockets, TLS and the HTTP parser into the classes of packages/equipment. */
export function connectionError(
  { name, address, port }: Pick<TlsTarget, 'name' | 'address' | 'port'>,
  error: unknown,
): DeviceError {
  if (error instanceof DeviceError) return error;
  const code = errorCode(error) ?? '';
  const cause = { cause: error };
  if (code.startsWith('HPE_')) {
    const what = `the response is not HTTP${spokenInstead(error)}`;
    return new DeviceRejected(name, `${address}:${port}: ${what}`, cause);
  }
  if (code.startsWith('Z_')) {
    return new DeviceRejected(
      name,
      `${address}:${port}: the response cannot be decompressed`,
      cause,
    );
  }
  const alert = /^ERR_SSL_.*_ALERT_(?:ALERT_)?(.+)$/.exec(code)?.[1];
  if (alert !== undefined) {
    const kind = alert.toLowerCase().replaceAll('_', ' ');
    const what = `ended the TLS handshake with the alert "${kind}"`;
    const advice =
      'it may offer no version, key exchange or cipher that skolo accepts (TLS 1.2 or 1.3, but not DHE, whose groups may be of any size); correct its TLS settings, or update its firmware';
    return new DeviceRejected(name, `${address}:${port}: ${what}; ${advice}`, cause);
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    return new DeviceRejected(
      name,
      `${address}:${port}: the response is not TLS; it may use plain http`,
      cause,
    );
  }
  return socketError({ name, address, port }, error);
}

const noStatus =
  ' (1.0 or later), because it has no status line; HTTP/0.9 is not supported: update its firmware, or check the port';

/** What the device speaks, by the first bytes that the HTTP parser rejected. */
function spokenInstead(error: unknown): string {
  const { rawPacket } = z.object({ rawPacket: z.instanceof(Buffer) }).safeParse(error).data ?? {};
  const begin = rawPacket?.toString('latin1') ?? '';
  if (begin.startsWith('SSH-')) return ', but SSH; check the port';
  // A TLS alert (RFC 8446, 5.1): it expects TLS.
  if (begin.startsWith('\x15\x03')) return ', but TLS; it requires https';
  return begin.startsWith('HTTP/') || begin === '' ? '' : noStatus;
}
