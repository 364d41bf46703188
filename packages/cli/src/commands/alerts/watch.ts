import { readFile } from 'node:fs/promises';
import { errorCode } from '@skolo/errors';
import { Option } from 'commander';
import { shortSpan } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { CliError, exitCodes, usageError } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { untilStopped } from '../../until-stopped.ts';
import { type PubSubOptions, sourceOf, withSubscription } from './pubsub-options.ts';
import { printChanges, printOnce } from './watch-report.ts';

interface Options extends PubSubOptions {
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
export function define(command: SkoloCommand, io: Io): void {
  command
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

  command.action((options: Options) => watch(io, command, options));
}

async function watch(io: Io, command: SkoloCommand, options: Options): Promise<void> {
  checkOptions(options);
  const { readWatchState } = await import('@skolo/alerts');
  const { Notifier } = await import('./notifier.ts');
  const { Watcher } = await import('./watcher.ts');
  const locations = await locationsOf(options);
  const kept = options.state === undefined ? undefined : await readWatchState(options.state);
  const sink =
    options.notify === undefined
      ? undefined
      : await (await import('./notify-sink.ts')).sinkOf(options.notify);
  const source = await sourceOf(command, options);
  const stop = untilStopped(io);
  const notifier = sink && new Notifier(sink, io, kept?.waiting ?? []);
  const watcher = new Watcher({
    source,
    locations,
    silentAfterMs: options.silentAfter,
    stateFile: options.state,
    kept,
    notifier,
    io,
  });
  const metrics =
    options.metricsPort === undefined
      ? undefined
      : await (await import('./watch-metrics.ts')).startWatchMetrics(options.metricsPort, () =>
          watcher.facts(),
        );
  if (metrics) io.err(`metrics: http://localhost:${metrics.port}/metrics`);
  try {
    if (options.once) {
      await watcher.once(options.within, stop.signal);
      if (stop.signal.aborted) io.exitCode = exitCodes.interrupted;
      else printOnce(io, watcher.facts(), options.json === true);
    } else {
      watcher.onChange(printChanges(io, options.json === true));
      await watcher.run(stop.signal);
    }
  } finally {
    stop.end();
    await metrics?.close();
    await watcher.close();
  }
}

function checkOptions({ once, notify, state, metricsPort }: Options): void {
  if (once && metricsPort !== undefined) {
    throw usageError('--metrics-port is for a watch that goes on; leave out --once');
  }
  if (once && notify !== undefined && state === undefined) {
    throw usageError(
      'with --once, --notify needs --state: otherwise each run tells the same again',
    );
  }
  if (metricsPort !== undefined && !isPort(metricsPort)) {
    throw usageError('--metrics-port has to be a number from 0 to 65535');
  }
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65_535;
}

/** Each once, in the order given. */
async function locationsOf({ location = [], locations }: Options): Promise<string[]> {
  const listed = locations === undefined ? [] : await listedIn(locations);
  const all = [...new Set([...location, ...listed])].filter((name) => name !== '');
  if (all.length > 0) return all;
  if (locations !== undefined) {
    throw new CliError(`${locations}: no location is in it`, exitCodes.badConfiguration);
  }
  throw usageError('say who is expected, with --location NAME or --locations FILE');
}

async function listedIn(file: string): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const why = errorCode(cause) ?? cause;
    const message = `${file}: cannot be read (${why}); correct --locations`;
    throw new CliError(message, exitCodes.badConfiguration, { cause });
  }
  return text.split('\n').map((line) => line.replace(/(^|\s)#.*/, '').trim());
}
