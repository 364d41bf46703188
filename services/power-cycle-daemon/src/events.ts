/** Server-sent events (WHATWG HTML, 9.2): each change of a cycle, to whoever listens. */
import type { PowerCycle } from '@skolo/api';
import { HttpProblem } from '@skolo/common';
import type { RequestHandler, Response } from 'express';

type Listener = (cycle: PowerCycle) => void;

/** More than this unsent means that nobody reads: the connection is closed, and its owner may come again. */
const mostUnsentBytes = 4 * 1024 * 1024;
const keepAliveMs = 15_000;
const mostListeners = 200;

export class Events {
  private readonly listeners = new Set<Listener>();
  private readonly open = new Set<Response>();

  tell(cycle: PowerCycle): void {
    for (const listener of [...this.listeners]) listener(cycle);
  }

  /** Gives what ends it. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * `GET …?ids=a,b`: the state of each of these now, and then each change; without ids, each change of any cycle.
   * A lost connection loses nothing: whoever comes again is told the state anew.
   */
  handler(find: (id: string) => PowerCycle | undefined): RequestHandler {
    return (request, response, next) => {
      if (this.open.size >= mostListeners) {
        throw new HttpProblem(503, `${mostListeners} listen already; try again later`, {
          headers: { 'retry-after': '10' },
        });
      }
      const ids = idsOf(request.query.ids);
      const unknown = [...(ids ?? [])].find((id) => find(id) === undefined);
      if (unknown !== undefined) throw noSuchCycle(unknown);
      const send = (cycle: PowerCycle) => {
        if (response.writableLength > mostUnsentBytes) response.destroy();
        else response.write(`event: cycle\ndata: ${JSON.stringify(cycle)}\n\n`);
      };
      response.set({
        'content-type': 'text/event-stream; charset=utf-8',
        'x-accel-buffering': 'no',
      });
      response.status(200).flushHeaders();
      const unlisten = this.listen((cycle) => {
        if (ids === undefined || ids.has(cycle.id)) send(cycle);
      });
      for (const id of ids ?? []) {
        const cycle = find(id);
        if (cycle !== undefined) send(cycle);
      }
      const keepAlive = setInterval(() => response.write(': still here\n\n'), keepAliveMs);
      this.open.add(response);
      response.on('error', next);
      response.on('close', () => {
        clearInterval(keepAlive);
        unlisten();
        this.open.delete(response);
      });
    };
  }

  /** Fulfilled with the first state of a cycle that passes the test. */
  until(
    id: string,
    test: (cycle: PowerCycle) => boolean,
    find: (id: string) => PowerCycle | undefined,
  ): Promise<PowerCycle> {
    return new Promise((resolve) => {
      const look = (cycle: PowerCycle | undefined) => {
        if (cycle?.id !== id || !test(cycle)) return;
        unlisten();
        resolve(cycle);
      };
      const unlisten = this.listen(look);
      look(find(id));
    });
  }

  /** Ends all connections. */
  close(): void {
    for (const response of this.open) response.end();
  }
}

/** The answer to whoever asks for a cycle that is not there. */
export function noSuchCycle(id: string): HttpProblem {
  return new HttpProblem(404, `${id}: no such cycle; skolo power log lists them`);
}

function idsOf(query: unknown): Set<string> | undefined {
  const lists = [query].flat().filter((each) => typeof each === 'string');
  return lists.length === 0 ? undefined : new Set(lists.join(',').split(',').filter(Boolean));
}
