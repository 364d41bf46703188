import type { Received, SubscriptionState } from '@skolo/alerts';
import { Option } from 'commander';
import { shortSpan, upTo } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { complain } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { untilStopped } from '../../until-stopped.ts';
import { messageJson, messageLine } from './message-line.ts';
import { type PubSubOptions, sourceOf, withSubscription } from './pubsub-options.ts';

interface Options extends PubSubOptions {
  location?: string;
  heartbeats?: true;
  count?: number;
  for?: number;
  json?: true;
}

/** `skolo alerts tail`: what arrives at Pub/Sub. */
export function define(command: SkoloCommand, io: Io): void {
  command
    .description(
      'Prints what arrives at Pub/Sub from now on, of all locations that publish to the topic, a line each: when it was accepted in the rack, where, what, and how much later it was published if that is long. Ends with Ctrl-C, and with 0. What is waited for has a subscription of its own, which is deleted at the end.',
    )
    .summary('what arrives at Pub/Sub')
    .option('--location <name>', 'only of this one')
    .option('--heartbeats', 'also that racks live, every 15 seconds')
    .addOption(new Option('--count <n>', 'end after so many').argParser(upTo(1_000_000)))
    .addOption(new Option('--for <time>', 'end after so long, such as 30s').argParser(shortSpan))
    .option('--json', 'print JSON, an object a line');
  withSubscription(command)
    .uses('rack')
    .example('skolo alerts tail --project my-project --location rack4');

  command.action(async ({ location, heartbeats, count, for: forMs, json, ...where }: Options) => {
    const { connection, topic, subscription, fields } = await sourceOf(command, where);
    const { subscribe } = await import('@skolo/alerts');
    const stop = untilStopped(io);
    const timer = forMs === undefined ? undefined : setTimeout(stop.stop, forMs);
    const seen = new Seen();
    let shown = 0;
    function show(message: Received): void {
      if (message.decoded.kind === 'heartbeat' && !heartbeats) return;
      if (seen.before(message)) return;
      io.out(json ? JSON.stringify(messageJson(message)) : messageLine(message, io.colour));
      shown += 1;
      if (shown === count) stop.stop();
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
  });
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

const remembered = 10_000;

/** Which messages have been there before. Pub/Sub gives some twice, and racks send some twice. */
class Seen {
  private readonly keys = new Set<string>();

  before({ decoded, messageId }: Received): boolean {
    const key = 'id' in decoded && decoded.id ? `${decoded.location} ${decoded.id}` : messageId;
    if (this.keys.has(key)) return true;
    this.keys.add(key);
    const [oldest] = this.keys;
    if (this.keys.size > remembered && oldest !== undefined) this.keys.delete(oldest);
    return false;
  }
}
