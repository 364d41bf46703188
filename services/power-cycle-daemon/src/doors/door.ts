/** A compatible door: a listener of its own, open to the networks that rack.yaml names and to nobody else. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PowerCycle } from '@skolo/api';
import type { Logger } from '@skolo/common';
import type { Situation } from '../policy.ts';
import type { Accepted, Request } from '../requests.ts';

/** What a door can do. */
export interface DoorDeps {
  log: Logger;
  take: (request: Request) => Promise<Accepted>;
  /** Fulfilled once a cycle is finished, or its power is on again and only the machine is waited for. */
  untilPowerIsProven(id: string): Promise<PowerCycle>;
  /** The rack, and what people have wished and held. */
  situation(): Situation;
  /** Cancels a cycle that has not begun. */
  cancel(id: string, text: string): Promise<boolean>;
  /** Puts a line into the audit log. */
  record(entry: { who: string; what: string; target: string; outcome: string }): Promise<void>;
  /** Aborted when the daemon stops: whoever still waits is told so. */
  closing: AbortSignal;
}

/** Somebody who may come in. */
export interface Visit {
  url: URL;
  /** The client's address. */
  from: string;
  /** Aborted when the client has gone away: its request is over, and what has not begun is not begun. */
  gone: AbortSignal;
}

export interface Answers {
  http(request: IncomingMessage, response: ServerResponse, visit: Visit): Promise<void>;
  /** Answers what is no HTTP and came in one packet; undefined where that means nothing to this door. */
  line?(text: string, visit: Omit<Visit, 'url'>): Promise<string> | undefined;
}

export interface Door {
  /** Its key in `doors:` of rack.yaml. */
  name: 'pdudaemon' | 'report';
  create(deps: DoorDeps): Answers;
}

/**
 * Answers with one line of text, and ends the connection: each asks once, and is let in once. The text of a failure is the
 * reason phrase, too: the clients of pdudaemon (labgrid, pduclient) print that, and not the body.
 */
export function say(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  response
    .writeHead(status, status < 400 ? undefined : reasonPhrase(text), {
      'content-type': 'text/plain; charset=utf-8',
      connection: 'close',
      ...headers,
    })
    .end(`${text}\n`);
}

/** Longer ones are cut by some clients, and other characters than these are not allowed in it. */
const mostPhrase = 400;

function reasonPhrase(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]+/g, '?').slice(0, mostPhrase);
}
