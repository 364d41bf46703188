/** The ways in which the simulator misbehaves on demand. */
import type { ServerResponse } from 'node:http';
import type { CallLog } from '../cloud/call-log.ts';
import { CallFault, type FaultTimes } from '../cloud/fault.ts';
import { garbage, send } from '../cloud/web-server.ts';
import type { Operation, StorageCall } from './calls.ts';

const faultKinds = [
  'unavailable',
  'too-many-requests',
  'bad-gateway',
  'garbage',
  'hang',
  'reset',
  'drop',
  'corrupt',
  'slow',
] as const;
/**
 * - `unavailable`: 503; `too-many-requests`: 429; `bad-gateway`: 502, an HTML page; `garbage`: 200 with bytes that are no text
 * - `hang`: never answers, though it reads what is sent; `reset`: the connection is reset before anything is read
 * - `drop`: the connection dies in the middle, of what is sent or, of a download, of the answer
 * - `corrupt`: of an upload, one bit of what is stored is another than was sent, and its checksums say so; of a
 *   download, one bit changes on the way
 * - `slow`: waits for `release()`, then goes on as if nothing had been
 */
export type FaultKind = (typeof faultKinds)[number];

export interface FaultOptions extends FaultTimes {
  /** All of them when absent. */
  operations?: Operation[];
  /** Of `drop`: bytes of the request that still arrive. Default 1. */
  afterBytes?: number;
}

/** One misbehaviour that was asked for. */
export class Fault extends CallFault<FaultKind, StorageCall> {
  readonly afterBytes: number;
  private readonly operations: readonly Operation[] | undefined;

  constructor(kind: FaultKind, options: FaultOptions, log: CallLog<StorageCall>) {
    super(kind, options, log);
    this.afterBytes = options.afterBytes ?? 1;
    this.operations = options.operations;
  }

  applies(operation: Operation): boolean {
    return this.isOn && (this.operations?.includes(operation) ?? true);
  }
}

/** Plays a fault that needs no answer of the API's. False when `kind` is none of these. */
export function playInstead(kind: FaultKind, response: ServerResponse): boolean {
  switch (kind) {
    case 'unavailable':
      send(response, 503, json, problem(503, 'backendError', 'Backend Error'));
      return true;
    case 'too-many-requests':
      response.setHeader('retry-after', '30');
      send(
        response,
        429,
        json,
        problem(
          429,
          'rateLimitExceeded',
          'The object exceeded the rate limit for object mutation operations (create, update, and delete). Please reduce your request rate.',
        ),
      );
      return true;
    case 'bad-gateway':
      send(response, 502, 'text/html; charset=UTF-8', badGatewayPage);
      return true;
    case 'garbage':
      send(response, 200, json, garbage);
      return true;
    case 'hang':
      return true;
    default:
      return false;
  }
}

/** The same with one bit changed. */
export function corrupted(content: Buffer): Buffer {
  if (content.length === 0) return Buffer.from([0]);
  const copy = Buffer.from(content);
  const middle = Math.floor(copy.length / 2);
  copy[middle] = (copy[middle] ?? 0) ^ 1;
  return copy;
}

const json = 'application/json; charset=UTF-8';

function problem(code: number, reason: string, message: string): string {
  return JSON.stringify({
    error: { code, message, errors: [{ message, domain: 'global', reason }] },
  });
}

const badGatewayPage =
  '<!DOCTYPE html>\n<html lang=en><title>Error 502 (Server Error)!!1</title>' +
  '<p><b>502.</b> <ins>That’s an error.</ins><p>The server encountered a temporary error.\n';
