import { addAbortListener, once } from 'node:events';
import { createInterface } from 'node:readline';
import { inParallel } from '@skolo/base';
import type { Jumphost, MachineTarget } from '@skolo/fleet';
import { timeOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { failPartly } from '../../errors.ts';
import { expandedNames } from '../../names.ts';
import { printTable } from '../../output/table.ts';
import { plain } from '../../output/text.ts';
import { audit, findComputers } from '../../reach/machine-way.ts';
import { interruptible, openJumphostOf } from '../../reach/racks.ts';

/** `skolo run`: runs a command on many machines, some at once. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Runs a command on machines in one rack over SSH, through the rack's jumphost and with your own key. To run the command on the jumphost itself, specify the jumphost's name. The output of each machine is followed by a table of exit codes. As with ssh, the arguments are joined and passed to the remote shell. The jumphost's log records who ran the command.",
    )
    .argument('<range>', 'machines in one rack, or its jumphost')
    .argument('<command...>', 'command and arguments, after --')
    .addOption(timeOption('--timeout <time>', 'time limit for each machine', '60s'))
    .uses('clusters', 'on')
    .example("skolo run 'skia-rpi2-rack4-shelf1-[001-040]' -- uptime");

  command.action(async (range: string, words: string[], { timeout }: { timeout: number }) => {
    const { io } = command;
    const { rack, machines } = await findComputers(command, expandedNames([range]));
    const jumphost = await openJumphostOf(command, rack);
    const line = words.join(' ');
    const results = await interruptible(command, async (signal) => {
      await audit(jumphost, rack.name, `run on ${range}: ${line}`, signal);
      const work = { line, timeout, signal };
      return await inParallel(machines, atOnce, (machine) =>
        runOn(command, jumphost, machine, work),
      );
    });
    printTable(
      io,
      [
        { title: 'NAME', cell: ({ name }) => name },
        {
          title: 'EXIT',
          cell: ({ exit }) => `${exit}`,
          style: ({ exit }) => (exit === 0 ? undefined : 'red'),
        },
        ...(results.some(({ why }) => why)
          ? [{ title: 'WHY', cell: ({ why }: Result) => why }]
          : []),
      ],
      results,
    );
    const failed = results.filter(({ exit }) => exit !== 0).length;
    if (failed > 0) failPartly(io, failed < results.length);
  });
}

/** ssh's exit code if it could not connect. */
const noConnection = 255;

interface Result {
  name: string;
  exit: number | 'timeout';
  /** Why ssh could not connect, if known. */
  why?: string | undefined;
}

interface Work {
  line: string;
  timeout: number;
  signal: AbortSignal;
}

const atOnce = 16;

async function runOn(
  { io }: SkoloCommand,
  jumphost: Jumphost,
  machine: MachineTarget,
  { line, timeout, signal }: Work,
): Promise<Result> {
  signal.throwIfAborted();
  const { machineFailure } = await import('@skolo/fleet');
  const { name } = machine;
  const how = { command: line, hasTerminal: false };
  const child = await jumphost.startOnMachine(
    machine,
    how,
    { stdio: ['ignore', 'pipe', 'pipe'] },
    signal,
  );
  const late = AbortSignal.timeout(timeout);
  using _ended = addAbortListener(AbortSignal.any([signal, late]), () => child.kill('SIGKILL'));
  const { stdout, stderr } = child;
  if (stdout)
    createInterface({ input: stdout }).on('line', (text) => io.out(`${name}: ${plain(text)}`));
  let why: string | undefined;
  if (stderr)
    createInterface({ input: stderr }).on('line', (text) => {
      why ??= machineFailure(text);
      io.err(`${name}: ${plain(text)}`);
    });
  const [code] = await once(child, 'close');
  signal.throwIfAborted();
  if (late.aborted) return { name, exit: 'timeout' };
  return { name, exit: code ?? noConnection, ...(code === noConnection && { why }) };
}
