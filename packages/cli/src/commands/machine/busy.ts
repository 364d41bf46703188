import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Client, powerCycleDaemonApi } from '@skolo/api';
import { errorText, repeat } from '@skolo/base';
import { forOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { complain, usageError } from '../../errors.ts';
import { timestamp } from '../../output/time.ts';
import { programEnd } from '../../reach/run-program.ts';
import { powerCycleDaemon } from '../../reach/service-client.ts';
import { askAboutNames } from '../power/request.ts';

interface BusyOptions {
  /** Milliseconds. */
  for?: number;
  text?: string;
  end?: true;
}

/** If the command itself is killed, the machine is free soon after. */
const usualLeaseMs = 10 * 60_000;

/** `skolo machine busy`: tells others that a job is running on a machine. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Tells the power-cycle daemon that a job is running on a machine or phone, so that others can cycle it only with --force, and automatic repair waits. With a command, runs it and says so for as long as it is running: if this process is killed, for at most --for (10 minutes, unless you specify it). Exits as the command does, or with 1 if it was not started because the machine is being cycled. Without a command, says so once, for 2 hours or --for. For CI runners, create a token with skolo token new --busy.',
    )
    .summary('tell others that a job is running on a machine')
    .argument('<name>', 'machine or phone')
    .argument('[command...]', 'command and arguments, after --')
    .addOption(forOption('how long the machine is busy without another call'))
    .option('--text <text>', 'what is running there, for others')
    .option('--end', 'the job has ended')
    .uses('rack', 'url', 'tokenFile')
    .example("skolo machine busy rpi-001 --text 'nightly 4711' -- ./run-tests.sh");

  command.action(async (name: string, words: string[], options: BusyOptions) => {
    const daemon = powerCycleDaemon(command);
    const { text = 'skolo machine busy' } = options;
    const [program, ...args] = words;
    if (options.end) {
      if (program !== undefined) throw usageError("specify a command or '--end', not both");
      const params = { name };
      const job = await askAboutNames(command.io, daemon, (client) => client.endBusy({ params }));
      if (job) command.io.err(`${job.target}: no longer busy`);
    } else if (program === undefined) {
      const { for: span } = options;
      const until =
        span === undefined ? undefined : new Date(command.io.now() + span).toISOString();
      const body = { text, until };
      const job = await askAboutNames(command.io, daemon, (client) =>
        client.setBusy({ params: { name }, body }),
      );
      if (job) command.io.err(`${job.target}: busy until ${timestamp(job.until)}`);
    } else {
      await whileRunning(command, { name, text, lease: options.for ?? usualLeaseMs }, () =>
        spawn(program, args, { stdio: 'inherit', env: command.io.env }),
      );
    }
  });
}

interface Busy {
  name: string;
  text: string;
  /** Milliseconds. */
  lease: number;
}

async function whileRunning(command: SkoloCommand, busy: Busy, start: () => ChildProcess) {
  const { io } = command;
  const daemon = powerCycleDaemon(command);
  // Several of them may run with the same token.
  const job = randomBytes(8).toString('hex');
  const params = { name: busy.name };
  const say = (client: Client<typeof powerCycleDaemonApi>) => {
    const until = new Date(io.now() + busy.lease).toISOString();
    return client.setBusy({ params, body: { text: busy.text, until, job } });
  };
  if ((await askAboutNames(io, daemon, say)) === undefined) return;
  let said: string | undefined;
  const renew = () =>
    daemon.ask(say).then(
      () => {
        said = undefined;
      },
      (error: unknown) => {
        const why = errorText(error);
        if (why !== said) complain(io, `${busy.name}: the job continues, but ${why}`);
        said = why;
      },
    );
  const over = new AbortController();
  const renewal = repeat(busy.lease / 3, renew, over.signal, 'later');
  try {
    const child = start();
    io.exitCode = (await programEnd(io, child.spawnfile, child)).exitCode;
  } finally {
    over.abort();
    // A renewal that arrives after the end would begin the job again.
    await renewal.ended;
    await daemon
      .ask((client) => client.endBusy({ params, query: { job } }))
      .catch((error: unknown) => {
        const end = timestamp(new Date(io.now() + busy.lease));
        complain(io, `${busy.name}: busy until ${end}, because ${errorText(error)}`);
      });
  }
}
