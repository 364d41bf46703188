/** Follows streams of server-sent events by `fetch`, which, other than EventSource, shows the status of an answer. */

import type { Machine, RackView } from '@skolo/api/machine-state';
import { serverEvents } from '@skolo/api/server-events';
import { type Apis, CallFailed, type CallInput, type ServiceName, send } from './api.ts';
import { plainJson } from './plain.ts';
import { addChange, getLive, setLive } from './store.ts';

const firstPauseMs = 500;
const longestPauseMs = 10_000;
/** The service sends something each 15 s. */
const silenceMs = 45_000;
/** A hidden page gives its connection back: a browser has six for one host, and people open many tabs. */
const hiddenMs = 10_000;

interface Handlers {
  onOpen?(): void;
  onEvent(name: string, data: unknown): void;
  /** @returns whether to connect again */
  onLost?(error: unknown): boolean;
}

/** Connects, and again after each break, with the id of the last event. */
export function follow<S extends ServiceName, N extends keyof Apis[S] & string>(
  service: S,
  name: N,
  { onOpen, onEvent, onLost = () => true }: Handlers,
  input: CallInput<never> = {},
): () => void {
  const stopped = new AbortController();
  let lastId: string | undefined;
  let pauseMs = firstPauseMs;

  async function once(): Promise<void> {
    const silent = new AbortController();
    const signal = AbortSignal.any([stopped.signal, silent.signal, hidden()]);
    const headers = {
      accept: 'text/event-stream',
      ...(lastId !== undefined && { 'last-event-id': lastId }),
    };
    const response = await send(service, name, { ...input, headers, signal }, true);
    onOpen?.();
    pauseMs = firstPauseMs;
    for await (const event of serverEvents(piecesOf(response, silent))) {
      lastId = event.id ?? lastId;
      onEvent(event.name, JSON.parse(plainJson(event.data)));
    }
  }

  async function run(): Promise<void> {
    while (!stopped.signal.aborted) {
      await shown();
      let error: unknown;
      try {
        await once();
      } catch (caught) {
        error = caught;
      }
      if (stopped.signal.aborted || !onLost(error)) return;
      await pause(pauseMs, stopped.signal);
      pauseMs = Math.min(longestPauseMs, pauseMs * 2);
    }
  }

  void run();
  return () => stopped.abort();
}

/** Keeps the store at the state of the rack. */
export function followRack(): () => void {
  return follow('machine-state', 'changes', {
    onOpen: () => setLive({ connection: 'live' }),
    onEvent(name, data) {
      // The names and types of `events` of the route, which the service holds to.
      if (name === 'all') addChange({ all: data as { machines: Machine[]; rack: RackView } });
      else if (name === 'machine') addChange({ machine: data as Machine });
      else if (name === 'removed') addChange({ removed: (data as { name: string }).name });
      else if (name === 'rack') addChange({ rack: data as RackView });
    },
    onLost(error) {
      const isSignedOut = error instanceof CallFailed && error.status === 401;
      if (isSignedOut) setLive({ session: null });
      const { connection, lostAt = Date.now() } = getLive();
      setLive({
        connection: 'lost',
        lostAt: connection === 'live' ? Date.now() : lostAt,
        why: error instanceof CallFailed ? error.message : 'the connection was closed',
      });
      return !isSignedOut;
    },
  });
}

async function* piecesOf(response: Response, silent: AbortController): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  let timer: number | undefined;
  try {
    while (reader) {
      clearTimeout(timer);
      timer = window.setTimeout(() => silent.abort(), silenceMs);
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Aborted when the page has been hidden for a while. */
function hidden(): AbortSignal {
  const aborted = new AbortController();
  let timer: number | undefined;
  document.addEventListener(
    'visibilitychange',
    () => {
      clearTimeout(timer);
      if (document.hidden) timer = window.setTimeout(() => aborted.abort(), hiddenMs);
    },
    { signal: aborted.signal },
  );
  return aborted.signal;
}

function shown(): Promise<void> {
  return new Promise((resolve) => {
    if (!document.hidden) return resolve();
    const listener = () => {
      document.removeEventListener('visibilitychange', listener);
      resolve();
    };
    document.addEventListener('visibilitychange', listener);
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
