import { flushCompileCache } from 'node:module';
import { RackError } from '@skolo/rack';
import { ListenError } from '../connections/listen.ts';
import { TlsError } from '../connections/tls.ts';
import { processMetrics } from '../health/metrics.ts';
import type { ServiceDefinition } from '../service.ts';
import { checkConfiguration } from './check-configuration.ts';
import { collectOnceIdle } from './collect-garbage.ts';
import { endProcess } from './end-process.ts';
import { exitCodes } from './exit-codes.ts';
import { type Flags, parseFlags, UsageError, usage } from './flags.ts';
import { createLogger, type Logger, prettyLines } from './log.ts';
import { problemsOf } from './open-rack.ts';
import { type RunningService, startService } from './start-service.ts';

/** Limit for a start that does not end on a signal. */
const startEndsWithinMs = 10_000;
/** What only the start needed is given back then, or when it is idle: 20 MiB of 103 of the metadata server. */
const startIsOverMs = 10_000;

/**
 * Runs a service as a process, with flags, environment, signals and exit codes. Nothing else uses `process`.
 */
export async function runService(definition: ServiceDefinition): Promise<void> {
  const flags = readFlags(definition);
  if (flags.check) await check(definition, flags);
  const log = createLogger({
    service: definition.name,
    level: flags.logLevel,
    ...(process.stdout.isTTY && { destination: await prettyLines(process.stdout) }),
  });
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught');
    process.exit(exitCodes.failed);
  });
  logWarnings(log);
  await new Run(definition, flags, log).start();
}

/** Warnings of Node and libraries, such as that of a metadata lookup, as lines of the log instead of text between them. */
function logWarnings(log: Logger): void {
  // Only the listener of Node that prints them is there.
  process.removeAllListeners('warning');
  process.on('warning', (warning) => log.warn({ err: warning }, 'warning'));
}

function readFlags({ name }: ServiceDefinition): Flags {
  try {
    const flags = parseFlags(name, process.argv.slice(2), process.env);
    if (flags !== 'help') return flags;
    process.stdout.write(usage(name));
    process.exit(exitCodes.done);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n\n${usage(name)}`);
    process.exit(exitCodes.wrongCommandLine);
  }
}

async function check(definition: ServiceDefinition, { rackFile }: Flags): Promise<never> {
  const problems = await checkConfiguration(definition, rackFile);
  if (problems.length === 0) process.stdout.write(`${rackFile}: good for ${definition.name}\n`);
  else process.stderr.write(`${problems.join('\n')}\n`);
  process.exit(problems.length === 0 ? exitCodes.done : exitCodes.badConfiguration);
}

/** A run of a service from start to exit. */
class Run {
  private readonly definition: ServiceDefinition;
  private readonly flags: Flags;
  private readonly log: Logger;
  private readonly aborted = new AbortController();
  private running: RunningService | undefined;
  private interrupts = 0;

  constructor(definition: ServiceDefinition, flags: Flags, log: Logger) {
    this.definition = definition;
    this.flags = flags;
    this.log = log;
  }

  async start(): Promise<void> {
    process.on('SIGTERM', (signal) => this.onSignal(signal));
    process.on('SIGINT', (signal) => this.onSignal(signal));
    try {
      this.running = await startService(this.definition, {
        ...this.flags,
        log: this.log,
        metrics: processMetrics(),
        ...(process.env.SKOLO_VERSION && { version: process.env.SKOLO_VERSION }),
        signal: this.aborted.signal,
      });
    } catch (error) {
      if (this.aborted.signal.aborted) endProcess();
      process.exit(this.explain(error));
    }
    if (this.aborted.signal.aborted) await this.stop(this.running);
    // With NODE_COMPILE_CACHE: Node would do this at exit, which is not the end of every service.
    flushCompileCache();
    collectOnceIdle(startIsOverMs);
  }

  private onSignal(signal: NodeJS.Signals) {
    if (signal === 'SIGINT') this.interrupts += 1;
    if (this.interrupts > 1) process.exit(exitCodes.failed);
    if (this.aborted.signal.aborted) return;
    this.log.info({ signal }, 'stopping');
    this.aborted.abort();
    if (this.running) void this.stop(this.running);
    else setTimeout(endProcess, startEndsWithinMs);
  }

  private async stop(running: RunningService) {
    await running.stop();
    this.log.info('stopped');
    endProcess();
  }

  private explain(error: unknown): number {
    const problems = configurationProblems(error);
    if (problems !== undefined) {
      this.log.fatal({ file: this.flags.rackFile, problems }, 'configuration rejected');
      return exitCodes.badConfiguration;
    }
    // The message says what to do; the stack is of no use.
    if (error instanceof ListenError) this.log.fatal({ why: error.message }, 'cannot listen');
    else this.log.fatal({ err: error }, 'start failed');
    return exitCodes.failed;
  }
}

function configurationProblems(error: unknown): string[] | undefined {
  if (error instanceof RackError) return problemsOf(error);
  if (error instanceof TlsError) return [error.message];
  return undefined;
}
