/** What `npm start` runs: the demo, or with --rack a real rack. */
import { join, resolve } from 'node:path';
import { RackError } from '@skolo/rack/light';
import { NoFreeBlock } from './addresses/block.ts';
import { parseCommandLine, UsageError, usage } from './command-line.ts';
import { DemoCopy, NotOurFolder } from './folder/demo-copy.ts';
import { folderTrouble } from './folder/folder-trouble.ts';
import { pathFrom, root, userFolder } from './folder/folders.ts';
import { AlreadyRunning, takeLock } from './folder/lock.ts';
import { outputTo } from './output/output.ts';
import { EndedAtOnce } from './processes/service-process.ts';

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const output = outputTo(process.stdout);
  let dir = join(root, '.skolo', 'demo');
  try {
    const options = parseCommandLine(args);
    if (options.help) {
      output.line(usage);
      return 0;
    }
    const cwd = userFolder();
    const shared = { cwd, output, ...signals() };
    if (options.rack !== undefined) {
      const { runRealRack } = await import('./real-rack.ts');
      await runRealRack({ ...shared, rackFile: pathFrom(options.rack, cwd) });
      return 0;
    }
    if (options.dir !== undefined) dir = resolve(cwd, options.dir);
    const copy = new DemoCopy(dir);
    await copy.checkFolder();
    const lock = await takeLock(dir, (line) => output.line(line));
    try {
      // Its dependencies take a second to load.
      const { runDemo } = await import('./demo.ts');
      await runDemo({ ...shared, copy, lock, fresh: options.fresh });
    } finally {
      await lock.release();
    }
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      output.problem(`${error.message}\n\n${usage}`);
      return 2;
    }
    const trouble = folderTrouble(error, dir);
    if (trouble !== undefined) {
      output.problem(trouble);
      return 1;
    }
    const exitCode = exitCodeOf(error);
    if (exitCode === undefined || !(error instanceof Error)) throw error;
    output.problem(error.message);
    if (error instanceof RackError) {
      output.line('Correct that, or begin with a new rack.yaml: npm start -- --fresh');
    }
    return exitCode;
  }
}

/** For an expected error; its message says what to do. */
function exitCodeOf(error: unknown): number | undefined {
  if ([AlreadyRunning, NotOurFolder, NoFreeBlock].some((each) => error instanceof each)) return 1;
  if (error instanceof RackError) return 78;
  if (error instanceof EndedAtOnce) return error.exitCode;
  return undefined;
}

/** The first signal ends everything in order, the second one immediately. */
function signals(): { stop: AbortSignal; hurry: AbortSignal } {
  const stop = new AbortController();
  const hurry = new AbortController();
  function onSignal() {
    if (stop.signal.aborted) hurry.abort();
    stop.abort();
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  // The reader of the output is gone.
  process.stdout.on('error', () => stop.abort());
  if (process.env.npm_lifecycle_event === 'start') endWithParent(stop);
  return { stop: stop.signal, hurry: hurry.signal };
}

/** Ctrl-C arrives through `npm start`. If that was killed, Ctrl-C could no longer end the demo. */
function endWithParent(stop: AbortController) {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) stop.abort();
  }, 500).unref();
}
