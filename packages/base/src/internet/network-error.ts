import { errorCode } from '../error-text.ts';

const reasons: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was interrupted',
  EPIPE: 'the connection was interrupted',
  ERR_STREAM_PREMATURE_CLOSE: 'the connection was interrupted',
  UND_ERR_SOCKET: 'the connection was interrupted',
  ENOTFOUND: 'unknown host name',
  EAI_AGAIN: 'the host name cannot currently be resolved',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no network',
  ETIMEDOUT: 'no response',
  EADDRNOTAVAIL: 'the source address does not belong to this computer',
  HPE_HEADER_OVERFLOW: 'the headers of the response are too large',
};

/** Why a request received no response, in words; undefined for other errors. */
export function networkReason(error: unknown): string | undefined {
  const code = errorCode(error) ?? '';
  return reasons[code] ?? (/^HPE_/.test(code) ? 'the response is not HTTP' : undefined);
}

/** Like {@link networkReason}, or the error's message. */
export function reasonOf(error: unknown): string {
  return networkReason(error) ?? (error instanceof Error ? error.message : `${error}`);
}
