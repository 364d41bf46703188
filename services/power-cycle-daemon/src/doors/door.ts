/** A compatible door: an HTTP listener of its own, open to the networks that rack.yaml names and to nobody else. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PowerCycle } from '@skolo/api';
import type { Logger } from '@skolo/common';
import type { Accepted, Request } from '../requests.ts';

/** What a door can do. */
export interface DoorDeps {
  log: Logger;
  take: (request: Request) => Promise<Accepted>;
  /** Fulfilled once a cycle is finished, or its power is on again and only the machine is waited for. */
  untilPowerIsProven(id: string): Promise<PowerCycle>;
  /** Puts a line into the audit log. */
  record(entry: { who: string; what: string; target: string; outcome: string }): Promise<void>;
}

/** Answers one request of somebody who may come in. */
export type Answer = (
  request: IncomingMessage,
  response: ServerResponse,
  from: string,
) => Promise<void>;

export interface Door {
  /** Its key in `doors:` of rack.yaml. */
  name: 'pdudaemon' | 'report';
  create(deps: DoorDeps): Answer;
}
