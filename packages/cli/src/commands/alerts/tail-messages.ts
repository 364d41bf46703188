import { type Received, type SubscriptionState, subscribe } from '@skolo/alerts';
import { complain } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { untilStopped } from '../../until-stopped.ts';
import { messageJson, messageLine } from './message-line.ts';
import type { Source } from './pubsub-options.ts';
import { Seen } from './seen.ts';

export interface Tail {
  source: Source;
  location: string | undefined;
  heartbeats: boolean;
  count: number;
  forMs: number | undefined;
  json: boolean;
}

export async function tail(io: Io, options: Tail): Promise<void> {
  const { source, location, heartbeats, count, forMs, json } = options;
  const { connection, topic, subscription, fields } = source;
  const stop = untilStopped(io);
  const timer = forMs === undefined ? undefined : setTimeout(stop.stop, forMs);
  const seen = new Seen();
  let shown = 0;
  function show(message: Received): void {
    if (message.decoded.kind === 'heartbeat' && !heartbeats) return;
    if (seen.before(message)) return;
    io.out(json ? JSON.stringify(messageJson(message)) : messageLine(message, io.colour));
    shown += 1;
    if (shown >= count) stop.stop();
  }
  try {
    await subscribe(connection, {
      topic,
      subscription,
      location,
      fields,
      signal: stop.signal,
      onMessage: show,
      onState: tellState(io),
    });
  } finally {
    clearTimeout(timer);
    stop.end();
  }
}

/** Says when nothing can be heard, each reason once, and when it can again. */
export function tellState(io: Pick<Io, 'err'>): (state: SubscriptionState) => void {
  let lost: string | undefined;
  return (change) => {
    switch (change.state) {
      case 'ready':
        if (lost !== undefined) io.err('listening again');
        lost = undefined;
        return;
      case 'lost':
        if (lost !== change.error.message) complain(io, `${change.error.message}; trying again`);
        lost = change.error.message;
        return;
      case 'gap':
        complain(io, 'the temporary subscription was gone; what was published meanwhile is missed');
        return;
      case 'left':
        complain(
          io,
          `the temporary subscription could not be deleted, it goes by itself within a day: ${change.error.message}`,
        );
    }
  };
}
