import type { Received, SubscriptionState } from '@skolo/alerts';
import { shortSpan, upTo } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { complain } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { jsonText } from '../../output/text.ts';
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

/** `skolo alerts tail`: prints messages as they arrive at Pub/Sub. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Prints messages as they arrive at Pub/Sub, from all locations that publish to the topic. Each line shows the location, the alert, when the rack accepted it, and any delay of at least a minute. Without --subscription, the command creates a temporary subscription and deletes it on exit. Press Ctrl-C to exit with code 0.',
    )
    .summary('print messages as they arrive at Pub/Sub')
    .option('--location <name>', 'print only messages from this location')
    .option('--heartbeats', 'include heartbeats, which racks send every 15 seconds by default')
    .option('--count <n>', 'exit after this many messages', upTo(1_000_000))
    .option('--for <time>', 'exit after this time, such as 30s', shortSpan)
    .option('--json', 'print JSON, one object per line');
  withSubscription(command)
    .uses('rack')
    .example('skolo alerts tail --project my-project --location rack4');

  command.action(async ({ location, heartbeats, count, for: forMs, json, ...where }: Options) => {
    const { connection, topic, subscription, fields } = await sourceOf(command, where);
    const { subscribe } = await import('@skolo/alerts');
    using stop = untilStopped(command.io);
    using _timer = forMs === undefined ? undefined : setTimeout(stop.stop, forMs);
    const seen = new Seen();
    let shown = 0;
    function show(message: Received): void {
      if (message.decoded.kind === 'heartbeat' && !heartbeats) return;
      if (seen.before(message)) return;
      command.io.out(
        json ? jsonText(messageJson(message)) : messageLine(message, command.io.colour),
      );
      shown += 1;
      if (shown === count) stop.stop();
    }
    await subscribe(connection, {
      topic,
      subscription,
      location,
      fields,
      signal: stop.signal,
      onMessage: show,
      onState: stateReporter(command.io),
    });
  });
}

/** Prints when the subscription fails, each reason once, and when it works again. */
export function stateReporter(io: Pick<Io, 'err'>): (state: SubscriptionState) => void {
  let lost: string | undefined;
  return (change) => {
    switch (change.state) {
      case 'ready':
        if (lost !== undefined) io.err('the subscription has recovered');
        lost = undefined;
        return;
      case 'lost':
        if (lost !== change.error.message) complain(io, `${change.error.message}; retrying`);
        lost = change.error.message;
        return;
      case 'gap':
        complain(
          io,
          'the temporary subscription was deleted, so messages that were published in the meantime are lost',
        );
        return;
      case 'left':
        complain(
          io,
          `the temporary subscription could not be deleted; it expires within a day: ${change.error.message}`,
        );
    }
  };
}

const remembered = 10_000;

/** Drops duplicates: both Pub/Sub and racks send some messages twice. */
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
