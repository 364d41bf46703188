/** A compatible endpoint: a listener of its own, open to the networks that rack.yaml names and to no others. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuditLog, Events, Logger } from '@skolo/common';
import type { Cycles } from '../cycles.ts';
import type { PowerEvent } from '../events.ts';
import type { Situation } from '../policy.ts';
import type { Accepted, Request } from '../requests.ts';
import type { Store } from '../store.ts';

export interface EndpointDeps {
  log: Logger;
  store: Store;
  events: Events<PowerEvent>;
  take: (request: Request) => Promise<Accepted>;
  situation: () => Situation;
  cycles: Pick<Cycles, 'cancel'>;
  audit: Pick<AuditLog, 'append'>;
  /** Aborted when the daemon stops: clients that still wait get that as their answer. */
  closing: AbortSignal;
}

/** A client that was admitted. */
export interface Visit {
  url: URL;
  /** The client's address. */
  from: string;
  /** Aborted when the client has hung up: its request is over, and what has not begun is not begun. */
  gone: AbortSignal;
}

export interface Answers {
  http(request: IncomingMessage, response: ServerResponse, visit: Visit): Promise<void>;
  /** Answers what is no HTTP and came in one packet; undefined where this endpoint has no such protocol. */
  line?(text: string, visit: Omit<Visit, 'url'>): Promise<string> | undefined;
}

export interface Endpoint {
  /** Its key in `doors:` of rack.yaml. */
  name: 'pdudaemon' | 'report';
  create(deps: EndpointDeps): Answers;
}

/**
 * Answers with one line of text, and ends the connection: each asks once, and is admitted once. The text of a failure is
 * the reason phrase, too: the clients of pdudaemon (labgrid, pduclient) print that, and not the body.
 */
export function sendText(
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
