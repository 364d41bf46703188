import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';
import type { Logger } from '../log.ts';

declare global {
  namespace Express {
    interface Locals {
      /** What the answer's `x-request-id` says. */
      requestId: string;
      /** Names the request id in each line. */
      log: Logger;
    }
  }
}

const sane = /^[\w.:-]{1,64}$/;

/** The caller's `x-request-id` if it is one that can be logged and searched for, else a new one. */
export function requestIdFrom(header: string | undefined): string {
  return header !== undefined && sane.test(header) ? header : randomUUID();
}

/** Gives each request an id, and says it in the answer and in `response.locals`. */
export function withRequestId(log: Logger) {
  return function requestId(request: Request, response: Response, next: NextFunction): void {
    const id = requestIdFrom(request.get('x-request-id'));
    response.set('x-request-id', id);
    response.locals.requestId = id;
    // Made when something is logged: most requests log nothing, and a child costs as much as the rest of this.
    let own: Logger | undefined;
    Object.defineProperty(response.locals, 'log', {
      get() {
        own ??= log.child({ requestId: id });
        return own;
      },
    });
    next();
  };
}
