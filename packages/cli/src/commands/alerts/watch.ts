import { Option } from 'commander';
import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { type PubSubOptions, withSubscription } from './pubsub-options.ts';
import { shortSpan } from './spans.ts';

export interface WatchOptions extends PubSubOptions {
  location?: string[];
  locations?: string;
  silentAfter: number;
  once?: true;
  within: number;
  state?: string;
  metricsPort?: number;
  notify?: string;
  json?: true;
}

/** `skolo alerts watch`: which of many racks is silent, and since when. */
export function addAlertsWatch(noun: SkoloCommand, io: Io): void {
  const command = noun
    .command('watch')
    .description(
      'The dead man of many racks: which of those that are expected is silent or not healthy, and since when. It goes on until Ctrl-C and prints what changes; with --once it listens until all were heard or the time is over, prints a table, and ends with 0 when all are well, with 1 when one is not. When it is Pub/Sub that cannot be reached, it says so, and calls nobody silent.',
    )
    .summary('which of many racks is silent, and since when')
    .option('--location <name...>', 'expected; may be given several times')
    .option('--locations <file>', 'a file with one that is expected on each line')
    .addOption(
      new Option('--silent-after <time>', 'without a heartbeat for so long, one is silent')
        .argParser(shortSpan)
        .default(90_000, '90s'),
    )
    .option('--once', 'print a table, and end')
    .addOption(
      new Option('--within <time>', 'with --once: how long to listen')
        .argParser(shortSpan)
        .default(60_000, '60s'),
    )
    .option('--state <file>', 'keeps what is known over restarts')
    .addOption(
      new Option('--metrics-port <n>', 'serve /metrics and /healthz there').argParser(Number),
    )
    .option(
      '--notify <sink>',
      'tell who is silent and who is back: file:PATH, http(s)://URL, or a YAML file with a sink as in rack.yaml',
    )
    .option('--json', 'print JSON: with --once the table, otherwise an object for each change');
  withSubscription(command)
    .uses('rack')
    .example('skolo alerts watch --project my-project --locations racks.txt --once');

  command.action(async (options: WatchOptions) => {
    const { watchLocations } = await import('./watch-locations.ts');
    await watchLocations(io, command, options);
  });
}
