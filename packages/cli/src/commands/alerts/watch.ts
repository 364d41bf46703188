import { timeOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { CliError, exitCodes, usageError } from '../../errors.ts';
import { untilStopped } from '../../until-stopped.ts';
import { readGivenFile } from '../../workstation/given-file.ts';
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

/** `skolo alerts watch`: reports silent racks. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Watches the heartbeats of many racks and prints a line when a rack becomes silent or unhealthy, or recovers. With --once, it waits up to --within for heartbeats, prints a table, and exits with code 0 if all racks are healthy, and 1 otherwise. Racks are not reported as silent while Pub/Sub is unreachable.',
    )
    .summary('report silent racks')
    .option('--location <name...>', 'expected location; repeatable')
    .option('--locations <file>', 'file that lists the expected locations, one per line')
    .addOption(
      timeOption(
        '--silent-after <time>',
        'how long heartbeats must be absent before a location is reported as silent',
        '90s',
      ),
    )
    .option('--once', 'print a table and exit')
    .addOption(timeOption('--within <time>', 'with --once: time to wait', '60s'))
    .option('--state <file>', 'file in which to keep the state across restarts')
    .option('--metrics-port <n>', 'serve /metrics and /healthz on this port', Number)
    .option(
      '--notify <sink>',
      'send changes to a sink: file:PATH, http(s)://URL, or a YAML file that defines a sink as in rack.yaml',
    )
    .option('--json', 'print JSON: the table with --once, otherwise one object per change');
  withSubscription(command)
    .uses('rack')
    .example('skolo alerts watch --project my-project --locations racks.txt --once');

  command.action((options: Options) => watch(command, options));
}

async function watch(command: SkoloCommand, options: Options): Promise<void> {
  const { io } = command;
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
  using stop = untilStopped(io);
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
    await metrics?.close();
    await watcher.close();
  }
}

function checkOptions({ once, notify, state, metricsPort }: Options): void {
  if (once && metricsPort !== undefined) {
    throw usageError("option '--metrics-port' cannot be used with '--once'");
  }
  if (once && notify !== undefined && state === undefined) {
    throw usageError(
      "with '--once', option '--notify' requires '--state', because otherwise each run reports the same changes",
    );
  }
  if (metricsPort !== undefined && !isPort(metricsPort)) {
    throw usageError('--metrics-port: expected a number from 0 to 65535');
  }
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65_535;
}

/** Without duplicates, in the order given. */
async function locationsOf({ location = [], locations }: Options): Promise<string[]> {
  const listed = locations === undefined ? [] : await listedIn(locations);
  const all = [...new Set([...location, ...listed])].filter((name) => name !== '');
  if (all.length > 0) return all;
  if (locations !== undefined) {
    throw new CliError(
      `${locations}: lists no locations; write one per line`,
      exitCodes.badConfiguration,
    );
  }
  throw usageError('no locations specified; use --location NAME or --locations FILE');
}

async function listedIn(file: string): Promise<string[]> {
  const text = await readGivenFile(file, 'correct --locations');
  return text.split('\n').map((line) => line.replace(/(^|\s)#.*/, '').trim());
}
