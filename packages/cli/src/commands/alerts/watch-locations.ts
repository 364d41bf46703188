/** `skolo alerts watch`, from its command line on. */
import { readFile } from 'node:fs/promises';
import { readWatchState } from '@skolo/alerts';
import type { SkoloCommand } from '../../command.ts';
import { CliError, usageError } from '../../errors.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { Io } from '../../io.ts';
import { untilStopped } from '../../until-stopped.ts';
import { openNotifier } from './notifier.ts';
import { sinkOf } from './notify-sink.ts';
import { sourceOf } from './pubsub-options.ts';
import type { WatchOptions } from './watch.ts';
import { printChanges } from './watch-lines.ts';
import { startWatchMetrics } from './watch-metrics.ts';
import { printOnce } from './watch-once.ts';
import { Watcher } from './watcher.ts';

export async function watchLocations(
  io: Io,
  command: SkoloCommand,
  options: WatchOptions,
): Promise<void> {
  checkOptions(options);
  const locations = await locationsOf(options);
  const kept = options.state === undefined ? undefined : await readWatchState(options.state);
  const sink = options.notify === undefined ? undefined : await sinkOf(options.notify);
  const source = await sourceOf(command, options);
  const stop = untilStopped(io);
  const notifier = sink && openNotifier(sink, io, kept?.waiting ?? []);
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
      : await startWatchMetrics(options.metricsPort, () => watcher.facts());
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

function checkOptions({ once, notify, state, metricsPort }: WatchOptions): void {
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
async function locationsOf({ location = [], locations }: WatchOptions): Promise<string[]> {
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
    const why = cause instanceof Error && 'code' in cause ? cause.code : cause;
    const message = `${file}: cannot be read (${why}); correct --locations`;
    throw new CliError(message, exitCodes.badConfiguration, { cause });
  }
  return text.split('\n').map((line) => line.replace(/(^|\s)#.*/, '').trim());
}
