/** A compatible endpoint: a listener of its own, open to the networks that rack.yaml names and to no others. */
import type { IncomingMessage } from 'node:http';
import type { AuditLog, Events, Logger } from '@skolo/common';
import type { Cycles } from '../cycle/cycles.ts';
import type { PowerEvent } from '../events.ts';
import type { Request } from '../request/requests.ts';
import type { Snapshot } from '../rules/preconditions.ts';
import type { Accepted } from '../state/records.ts';
import type { Store } from '../state/store.ts';

export interface EndpointDeps {
  log: Logger;
  store: Store;
  events: Events<PowerEvent>;
  take: (request: Request) => Promise<Accepted>;
  snapshot: () => Snapshot;
  cycles: Pick<Cycles, 'cancel'>;
  audit: Pick<AuditLog, 'begin'>;
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

/** One line of text, with which the connection ends: each client asks once, and is admitted once. */
export interface TextAnswer {
  status: number;
  text: string;
}

export interface Answers {
  /** @throws HttpProblem Becomes one line of text, too. */
  http(request: IncomingMessage, visit: Visit): Promise<TextAnswer>;
  /** Answers what is no HTTP and came in one packet; undefined where this endpoint has no such protocol. */
  line?(text: string, visit: Omit<Visit, 'url'>): Promise<string> | undefined;
}

export interface Endpoint {
  /** Its key in `doors:` of rack.yaml. */
  name: 'pdudaemon' | 'report';
  create(deps: EndpointDeps): Answers;
}
