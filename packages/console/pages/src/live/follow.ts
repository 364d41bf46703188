/**
 * Follows event streams in a page, and decides when it reconnects or pauses, with `fetch`, which, unlike EventSource, exposes a
 * response's status.
 */
import { followed } from '@skolo/api/server-events';
import { CallFailed, machineState } from './api.ts';
import { addChange, getLive, setLive } from './store.ts';

/** A hidden page releases its connection: browsers allow six per host, and people open many tabs. */
const hiddenMs = 10_000;

interface Handlers<E> {
  onOpen?(): void;
  onEvent(event: E): void;
  /** @returns whether to reconnect */
  onLost(error: unknown): boolean;
}

/** Connects, and reconnects after each failure. @returns a function that stops it */
export function follow<E extends { id?: string }>(
  ask: (lastId: string | undefined, signal: AbortSignal) => Promise<{ events: AsyncIterable<E> }>,
  { onOpen, onEvent, onLost }: Handlers<E>,
): () => void {
  const stopped = new AbortController();
  const events = followed({
    async connect(lastId) {
      await shown();
      const { events: found } = await ask(lastId, AbortSignal.any([stopped.signal, hidden()]));
      onOpen?.();
      return found;
    },
    lost(error) {
      if (!onLost(error)) throw error;
    },
    signal: stopped.signal,
  });
  async function run(): Promise<void> {
    for await (const event of events) onEvent(event);
  }
  run().catch(() => undefined);
  return () => stopped.abort();
}

/** Keeps the store up to date with the rack. */
export function followRack(): () => void {
  const ask = (lastId: string | undefined, signal: AbortSignal) =>
    machineState.changes({ headers: { 'last-event-id': lastId }, signal });
  return follow(ask, {
    onOpen: () => setLive({ connection: 'live' }),
    onEvent({ name, data }) {
      if (name === 'all') addChange({ all: data });
      else if (name === 'machine') addChange({ machine: data });
      else if (name === 'removed') addChange({ removed: data.name });
      else addChange({ rack: data });
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
