/**
 * Runs a service or an agent as a process: flags, environment, signals, exit codes, and how long a stop may take. Nothing else uses
 * `process` for these.
 */
import { accessSync, constants } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { asError, exitCodes } from '@skolo/base';
import type { ServiceName } from '@skolo/rack/light';
import { type FlagSet, parseFlags, UsageError, usageOf } from './flag-table.ts';
import type { ProcessFlags } from './flags.ts';
import { createLogger, type Logger, prettyLines } from './log.ts';

/** Limit for a start that does not end on a signal. */
const startEndsWithinMs = 10_000;

/** The input that a start receives from its process. */
interface ProcessContext {
  log: Logger;
  /** Aborted by the first signal. */
  signal: AbortSignal;
  /** Stops the program, and exits with an error, so that its supervisor starts it again. */
  giveUp: () => void;
}

interface RunningProgram {
  /** Called again when a second signal `isHurried`, if {@link Program.canHurry}. */
  stop(how: { isHurried: boolean }): Promise<unknown>;
}

interface Program<F extends ProcessFlags> {
  name: ServiceName;
  flags: FlagSet<F>;
  /** A second signal means that the operator does not want to wait. Default: a second SIGINT ends the process. */
  canHurry?: boolean;
  /** Also receives each line of the log. */
  onLine?: (line: string) => void;
  /** `--check`: the errors, or a summary if there are none. */
  check(flags: F): Promise<{ good: boolean; text: string }>;
  start(flags: F, context: ProcessContext): Promise<RunningProgram>;
}

/** Runs until a signal. */
export async function runProgram<F extends ProcessFlags>(program: Program<F>): Promise<void> {
  const flags = flagsOf(program);
  if (flags.check) {
    const { good, text } = await program.check(flags);
    (good ? process.stdout : process.stderr).write(`${text}\n`);
    process.exit(good ? exitCodes.done : exitCodes.badConfiguration);
  }
  const log = createLogger({
    service: program.name,
    level: flags.logLevel,
    onLine: program.onLine,
    ...(process.stdout.isTTY && { destination: await prettyLines(process.stdout) }),
  });
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught');
    process.exit(exitCodes.failed);
  });
  logWarnings(log);
  await new Run(program, flags, log).start();
}

/** Writes warnings from Node and libraries to the log instead of printing text between its lines. */
function logWarnings(log: Logger): void {
  // Only the listener of Node that prints them is there.
  process.removeAllListeners('warning');
  process.on('warning', (warning) => log.warn({ err: warning }, 'warning'));
}

function flagsOf<F extends ProcessFlags>({ name, flags }: Program<F>): F {
  try {
    const given = parseFlags(flags, process.argv.slice(2), process.env);
    if (given !== 'help') return given;
    process.stdout.write(usageOf(flags));
    process.exit(exitCodes.done);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n\n${usageOf(flags)}`);
    process.exit(exitCodes.wrongCommandLine);
  }
}

/** A run from start to exit. */
class Run<F extends ProcessFlags> {
  private readonly program: Program<F>;
  private readonly flags: F;
  private readonly log: Logger;
  private readonly aborted = new AbortController();
  private running: RunningProgram | undefined;
  private signals = 0;
  private interrupts = 0;

  constructor(program: Program<F>, flags: F, log: Logger) {
    this.program = program;
    this.flags = flags;
    this.log = log;
  }

  async start(): Promise<void> {
    process.on('SIGTERM', (signal) => this.onSignal(signal));
    process.on('SIGINT', (signal) => this.onSignal(signal));
    try {
      this.running = await this.program.start(this.flags, {
        log: this.log,
        signal: this.aborted.signal,
        giveUp: () => void this.stop(exitCodes.failed),
      });
    } catch (error) {
      if (this.aborted.signal.aborted) endProcess();
      process.exit(explain(error, this.log));
    }
    if (this.aborted.signal.aborted) await this.stop(exitCodes.done);
    // With NODE_COMPILE_CACHE: Node would do this at exit, which is not the end of every service.
    flushCompileCache();
  }

  private onSignal(signal: NodeJS.Signals): void {
    this.signals += 1;
    if (signal === 'SIGINT') this.interrupts += 1;
    if (this.program.canHurry) {
      if (this.signals === 2) this.log.warn({ signal }, 'stopping immediately');
    } else {
      if (this.interrupts > 1) process.exit(exitCodes.failed);
      if (this.signals > 1) return;
    }
    if (this.signals === 1) {
      this.log.info({ signal }, 'stopping');
      this.aborted.abort();
      if (this.running === undefined) setTimeout(endProcess, startEndsWithinMs);
    }
    void this.stop(exitCodes.done);
  }

  private async stop(code: number): Promise<void> {
    if (this.running === undefined) return;
    await this.running.stop({ isHurried: this.signals > 1 });
    this.log.info('stopped');
    if (code === exitCodes.done) endProcess();
    process.exit(code);
  }
}

/** Not by the class of the error: the reader of rack.yaml is loaded only where there is a rack.yaml. */
function explain(error: unknown, log: Logger): number {
  const { name, message } = asError(error);
  if (name === 'RackError' || name === 'TlsError') {
    log.fatal({ problems: message.split('\n') }, 'configuration rejected');
    return exitCodes.badConfiguration;
  }
  // The message says what to do; the stack does not help.
  if (name === 'ListenError') log.fatal({ why: message }, 'cannot listen');
  else log.fatal({ err: error }, 'start failed');
  return exitCodes.failed;
}

/** Exits with 0. */
const nothing = '/bin/true';

/** `execve` is missing in the types of Node. */
type Replaceable = NodeJS.Process & {
  execve?: (file: string, args: readonly string[], env: Record<string, string>) => void;
};

/**
 * Ends this process with exit code 0. `process.exit` waits for threads that resolve a name, up to ten seconds without an
 * internet connection. So the process replaces itself by one that exits at once, if Node supports it (22.15 and newer;
 * https://nodejs.org/api/process.html#processexecvefile-args-env).
 */
function endProcess(): never {
  const { execve }: Replaceable = process;
  // Does not return: on failure Node aborts.
  if (execve !== undefined && canRun(nothing)) execve.call(process, nothing, [nothing], {});
  process.exit(exitCodes.done);
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
