import { Option } from 'commander';
import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { upTo } from '../../limit.ts';
import { type PubSubOptions, sourceOf, withSubscription } from './pubsub-options.ts';
import { shortSpan } from './spans.ts';

interface Options extends PubSubOptions {
  location?: string;
  heartbeats?: true;
  count?: number;
  for?: number;
  json?: true;
}

/** `skolo alerts tail`: what arrives at Pub/Sub. */
export function addAlertsTail(noun: SkoloCommand, io: Io): void {
  const command = noun
    .command('tail')
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
    const source = await sourceOf(command, where);
    const { tail } = await import('./tail-messages.ts');
    await tail(io, {
      source,
      location,
      heartbeats: heartbeats === true,
      count: count ?? Number.POSITIVE_INFINITY,
      forMs,
      json: json === true,
    });
  });
}
