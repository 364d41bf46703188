/** The ways in which the simulator misbehaves on demand. */
import type { CallFault, FaultOptions } from '../cloud/fault.ts';
import type { Operation, StorageCall } from './calls.ts';

/**
 * - `unavailable`: 503; `too-many-requests`: 429; `bad-gateway`: 502, an HTML page; `garbage`: 200 with bytes that are no text
 * - `hang`: never answers, though it reads what is sent; `reset`: the connection is reset before anything is read
 * - `drop`: the connection dies in the middle, of what is sent or, of a download, of the answer
 * - `corrupt`: of an upload, one bit of what is stored is another than was sent, and its checksums say so; of a
 *   download, one bit changes on the way
 * - `slow`: waits for `release()`, then goes on as if nothing had been
 */
export type FaultKind =
  | keyof typeof errors
  | 'garbage'
  | 'hang'
  | 'reset'
  | 'drop'
  | 'corrupt'
  | 'slow';

export interface StorageFaultOptions extends FaultOptions<Operation> {
  /** Of `drop`: bytes of the request that still arrive. Default 1. */
  afterBytes?: number;
}

export type Fault = CallFault<FaultKind, StorageCall, Operation, StorageFaultOptions>;

/** The same with one bit changed. */
export function corrupted(content: Buffer): Buffer {
  if (content.length === 0) return Buffer.from([0]);
  const copy = Buffer.from(content);
  const middle = Math.floor(copy.length / 2);
  copy[middle] = (copy[middle] ?? 0) ^ 1;
  return copy;
}

function problem(code: number, reason: string, message: string): [number, string] {
  return [
    code,
    JSON.stringify({ error: { code, message, errors: [{ message, domain: 'global', reason }] } }),
  ];
}

const badGatewayPage =
  '<!DOCTYPE html>\n<html lang=en><title>Error 502 (Server Error)!!1</title>' +
  '<p><b>502.</b> <ins>That’s an error.</ins><p>The server encountered a temporary error.\n';

export const errors = {
  unavailable: problem(503, 'backendError', 'Backend Error'),
  'too-many-requests': problem(
    429,
    'rateLimitExceeded',
    'The object exceeded the rate limit for object mutation operations (create, update, and delete). Please reduce your request rate.',
  ),
  'bad-gateway': [502, badGatewayPage],
} as const;
