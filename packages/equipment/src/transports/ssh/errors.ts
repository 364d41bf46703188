/** Translates errors of ssh2 and sockets into the classes and wording of errors.ts. */
import { errorCode, errorText } from '@skolo/base';
import { DeviceBusy, DeviceError, DeviceRejected, DeviceUnreachable } from '../errors.ts';
import type { Target } from '../session.ts';

/** The connection ended for an unknown reason. */
export function connectionLost({ name, address, port }: Target, cause?: unknown): DeviceError {
  return new DeviceUnreachable(name, `${address}:${port} closed the connection`, { cause });
}

/** An error of a socket. */
export function socketError(
  { name, address, port }: Pick<Target, 'name' | 'address' | 'port'>,
  error: unknown,
): DeviceError {
  const what = reasons.get(errorCode(error) ?? '') ?? `connection failed: ${errorText(error)}`;
  return new DeviceUnreachable(name, `${address}:${port}: ${what}`, { cause: error });
}

const reasons = new Map([
  ['ECONNREFUSED', 'nothing is listening there (connection refused)'],
  ['ECONNRESET', 'the connection was reset'],
  ['EPIPE', 'the connection was interrupted'],
  ['EHOSTUNREACH', 'no route to it (host unreachable)'],
  ['ENETUNREACH', 'no route to it (network unreachable)'],
  ['EHOSTDOWN', 'no route to it (host is down)'],
  ['ETIMEDOUT', 'no response'],
]);

const kinds = new Map([
  ['key exchange algorithm', 'key exchanges'],
  ['host key format', 'host keys'],
  ['cipher', 'ciphers'],
  ['MAC', 'message authentication'],
]);

/** An error emitted by ssh2. */
export function sshError(target: Target, error: Error): DeviceError {
  if (error instanceof DeviceError) return error;
  const { name, address, port, credentials } = target;
  const level = 'level' in error ? String(error.level) : '';
  const cause = { cause: error };
  const noMatch = /no matching (?:[CS]->[CS] )?(?<what>.+)$/.exec(error.message)?.groups?.what;
  if (noMatch !== undefined) {
    const what = kinds.get(noMatch) ?? noMatch;
    const hint = credentials.legacySsh
      ? `offers only unsupported ${what}`
      : `offers only outdated ${what}; set legacySsh: true in its login`;
    const isCompression = what.startsWith('compression');
    const problem = isCompression ? 'requires compression; turn it off on the equipment' : hint;
    return new DeviceRejected(name, problem, cause);
  }
  if (level === 'client-socket' || level === 'client-dns') return socketError(target, error);
  if (/identification string/.test(error.message)) {
    const what = `${address}:${port} does not identify itself as SSH 2, with a software version`;
    const hint = 'update its firmware, or set `transport: telnet`';
    return new DeviceRejected(name, `${what}; ${hint}`, cause);
  }
  if (/greeting lines|header/i.test(error.message)) {
    return new DeviceRejected(name, `${address}:${port} does not respond as SSH does`, cause);
  }
  if (/before handshake/.test(error.message)) {
    // How devices reject one session too many; a rebooting one may do the same.
    const what = `${address}:${port} closed the connection before the SSH handshake; it may have too many open sessions`;
    return new DeviceBusy(name, what, cause);
  }
  return new DeviceUnreachable(name, `${address}:${port}: ssh failed: ${error.message}`, cause);
}
