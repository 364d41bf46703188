/** What the pdudaemon endpoint needs and answers. */
import type { IncomingMessage } from 'node:http';
import type { AcceptedRequests } from '@skolo/api';
import type { Events, Logger } from '@skolo/common';
import type { Cycles } from '../cycle/cycles.ts';
import type { PowerEvent } from '../events.ts';
import type { Request } from '../request/requests.ts';
import type { Snapshot } from '../rules/preconditions.ts';
import type { Store } from '../state/store.ts';

export interface EndpointDeps {
  log: Logger;
  store: Store;
  events: Events<PowerEvent>;
  take: (request: Request) => Promise<AcceptedRequests>;
  snapshot: () => Snapshot;
  cycles: Pick<Cycles, 'cancel'>;
  /** Aborted when the daemon stops: clients that still wait are told so. */
  closing: AbortSignal;
}

/** An admitted client. */
export interface Visit {
  url: URL;
  /** The client's address. */
  from: string;
  /** Aborted when the client has hung up: its request ends, and what has not begun will not begin. */
  gone: AbortSignal;
}

/** One line of text, after which the connection ends: each client asks once, and is admitted once. */
export interface TextAnswer {
  status: number;
  text: string;
}

export interface Answers {
  /** @throws HttpProblem Sent as one line of text, too. */
  http(request: IncomingMessage, visit: Visit): Promise<TextAnswer>;
  /** Answers a request that is not HTTP and arrived in one packet; undefined if it is not of pdudaemon's older protocol either. */
  line(text: string, visit: Omit<Visit, 'url'>): Promise<string> | undefined;
}
