/** Decides what happens to requests that arrive while a service starts or stops: they wait, or are rejected. */
import type { ServerResponse } from 'node:http';
import { probesApi } from '@skolo/api/probes';
import { pause } from '@skolo/base';
import { pathOf } from '../exchange.ts';
import type { AppOptions, Stage } from '../options.ts';
import { busy } from '../response/problem.ts';

/** Also bounded by the connections, which may send eight requests each. */
const mostWaiting = 256;

/** The start of a service. Requests wait for its end. */
export class Start {
  isOver = false;
  private readonly over = new AbortController();
  private readonly waitMs: number;
  private waiting = 0;

  /** @param waitMs the most that a request waits */
  constructor(waitMs = 5000) {
    this.waitMs = waitMs;
  }

  end(): void {
    this.isOver = true;
    this.over.abort();
  }

  /** Returns after the start. @throws HttpProblem 503: it takes longer, too many requests wait, or the client has disconnected. */
  async wait(response: ServerResponse): Promise<void> {
    if (this.waiting < mostWaiting) {
      const closed = new AbortController();
      response.once('close', () => closed.abort());
      const end = AbortSignal.any([this.over.signal, closed.signal]);
      this.waiting += 1;
      await pause(this.waitMs, end).catch(() => undefined);
      this.waiting -= 1;
    }
    if (!this.isOver || response.destroyed) throw busy('the service is starting');
  }
}

const probes = new Set<string>(Object.values(probesApi).map(({ path }) => path));

/** 503 while the service stops; during its start, requests wait. Never for probes. */
export function running({ start, signal }: AppOptions): Stage {
  return (request, response, next) => {
    const isStarting = start?.isOver === false;
    if ((!isStarting && !signal?.aborted) || probes.has(pathOf(request))) return next();
    if (!isStarting || signal?.aborted) throw busy('the service is stopping');
    return start.wait(response).then(() => next());
  };
}
