/** The agent as a process: flags, environment, signals and exit codes as section 3 of the design has them. */
import { flushCompileCache } from 'node:module';
import { errorText } from '@skolo/base';
import {
  createLogger,
  endProcess,
  exitCodes,
  ListenError,
  type Logger,
  prettyLines,
  processMetrics,
  UsageError,
} from '@skolo/common/light';
import { type RunningAgent, startAgent } from './agent.ts';
import { type Flags, parseFlags, usage } from './flags.ts';
import { checkIdentity } from './identity/check.ts';
import { RecentLines } from './status/recent-lines.ts';

export async function runAgent(): Promise<void> {
  const flags = readFlags();
  if (flags.check) {
    const { good, text } = await checkIdentity(flags);
    (good ? process.stdout : process.stderr).write(`${text}\n`);
    process.exit(good ? exitCodes.done : exitCodes.badConfiguration);
  }
  const lines = new RecentLines();
  const log = createLogger({
    service: 'swarming-client',
    level: flags.logLevel,
    onLine: (line) => lines.addLogged(line),
    ...(process.stdout.isTTY && { destination: await prettyLines(process.stdout) }),
  });
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught');
    process.exit(exitCodes.failed);
  });
  await run(flags, log, lines);
}

function readFlags(): Flags {
  try {
    const flags = parseFlags(process.argv.slice(2), process.env);
    if (flags !== 'help') return flags;
    process.stdout.write(usage());
    process.exit(exitCodes.done);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`swarming-client: ${error.message}\n\n${usage()}`);
    process.exit(exitCodes.wrongCommandLine);
  }
}

async function run(flags: Flags, log: Logger, lines: RecentLines): Promise<void> {
  let running: RunningAgent | undefined;
  let signals = 0;

  function onSignal(signal: NodeJS.Signals) {
    signals += 1;
    if (signals === 1) log.info({ signal }, 'stopping');
    // The operator does not want to wait for the task.
    if (signals === 2) log.warn({ signal }, 'stopping at once');
    if (running !== undefined) void stop(running, exitCodes.done);
  }

  async function stop(agent: RunningAgent, code: number) {
    await agent.stop({ isHurried: signals > 1 });
    log.info('stopped');
    if (code === exitCodes.done) endProcess();
    process.exit(code);
  }

  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  try {
    running = await startAgent({
      ...flags,
      log,
      lines,
      // A hundred times a second doubles what an idle agent costs: 0.6 % of a core here, not 0.3 %.
      metrics: processMetrics({ eventLoopEveryMs: 500 }),
      proc: '/proc',
      // Its supervisor starts it again, and with it the bot.
      onNotRebooted: () => void (running && stop(running, exitCodes.failed)),
      ...(process.env.SKOLO_VERSION && { version: process.env.SKOLO_VERSION }),
      // Of a machine that is simulated: it boots, and the computer that plays it does not.
      ...(process.env.SKOLO_BOOT_ID && { bootId: process.env.SKOLO_BOOT_ID }),
    });
  } catch (error) {
    process.exit(explain(error, log));
  }
  if (signals > 0) await stop(running, exitCodes.done);
  // As runService does.
  flushCompileCache();
}

function explain(error: unknown, log: Logger): number {
  if (error instanceof ListenError) {
    log.fatal({ why: error.message }, 'cannot listen');
    return exitCodes.failed;
  }
  // Not by its class: rack.yaml's reader is loaded only where there is a rack.yaml.
  if (error instanceof Error && error.name === 'RackError') {
    log.fatal({ problems: errorText(error).split('\n') }, 'configuration refused');
    return exitCodes.badConfiguration;
  }
  log.fatal({ err: error }, 'start failed');
  return exitCodes.failed;
}
