import { errorCode } from '../error-text.ts';

const reasons: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was interrupted',
  ENOTFOUND: 'unknown host name',
  EAI_AGAIN: 'the host name cannot currently be resolved',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no network',
  ETIMEDOUT: 'no response',
  EADDRNOTAVAIL: 'the source address does not belong to this computer',
  HPE_HEADER_OVERFLOW: 'the headers of the response are too large',
};

/** Why a request received no response, in words. */
export function reasonOf(error: unknown): string {
  const code = errorCode(error) ?? '';
  const parser = /^HPE_/.test(code) ? 'the response is not HTTP' : undefined;
  return reasons[code] ?? parser ?? (error instanceof Error ? error.message : `${error}`);
}
