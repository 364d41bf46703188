/** `skolo machine join` and `leave`: adds machines to a rack's cluster as nodes, or removes them. */
import { errorText, inParallel } from '@skolo/base';
import type { MachineTarget } from '@skolo/fleet';
import { type Host, openHost, prepare } from '@skolo/setup/engine';
import {
  betweenTasks,
  clusterOn,
  type JoinCluster,
  joinSteps,
  type MachineTasks,
  removeAgent,
  tooLong,
} from '@skolo/setup/k3s';
import type { SkoloCommand } from '../../command.ts';
import { CliError, failPartly } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { expandedNames } from '../../names.ts';
import { printTable } from '../../output/table.ts';
import { plain } from '../../output/text.ts';
import { powerDaemonAt, taskLimitOption, taskPolls, tasksOf } from '../../reach/machine-tasks.ts';
import { findMachines, machineOptions, openJumphostHost } from '../../reach/machine-way.ts';
import { interruptible, readRackOf } from '../../reach/racks.ts';
import { downloadOf } from '../jumphost/steps/open-steps.ts';
import { outcomeOf } from '../pi/pi-steps.ts';

interface Result {
  name: string;
  state: 'joined' | 'unchanged' | 'left' | 'differs' | 'failed';
  text: string;
}

/** Their uplink is shared. */
const atOnce = 4;

export function joinMachines(command: SkoloCommand): void {
  command
    .description(
      "Joins machines to their rack's cluster, over SSH through the jumphost. The command installs the server's k3s version, and uses a token that expires after 15 minutes. If a machine belongs to another cluster, it leaves that cluster first. A dead node with the same name, for example from a previous SD card, is removed from the cluster. Each step changes only what differs, so you can run the command again at any time.",
    )
    .summary('join machines to the cluster')
    .argument('<names...>', 'machines in one rack')
    .option('--check', 'only show the differences')
    .option('--files <folder>', 'download directory for k3s; existing files are reused')
    .uses('clusters', 'on')
    .example("skolo machine join 'skia-rpi2-rack4-shelf1-[001-040]'");

  command.action(async (words: string[], options: { check?: true; files?: string }) => {
    const { io } = command;
    const isCheck = options.check ?? false;
    await onEach(command, words, isCheck ? undefined : 'join', async (work) => {
      const { machine, open, server, cluster, report, signal } = work;
      const download = downloadOf(command, options, signal);
      const needs = { machine, server, cluster, download, now: io.now };
      const steps = await prepare(await open(), joinSteps(needs), {
        isCheck,
        signal,
        report(all) {
          const now = all.findLast(({ state }) => state === 'changing');
          if (now !== undefined) report(`${machine.name}: ${now.name}: ${now.text}`);
        },
      });
      const { state, why } = outcomeOf({ name: machine.name, steps });
      if (state === 'failed' || state === 'differs') return { state, text: why };
      const text = steps.find(({ name }) => name === 'k3s-agent')?.text ?? '';
      return { state: state === 'changed' ? 'joined' : 'unchanged', text };
    });
  });
}

export function leaveMachines(command: SkoloCommand): void {
  command
    .description(
      "Removes machines from their rack's cluster. The command holds each machine so that no new tasks start, and waits for any running task to finish. Then it stops the k3s agent and its pods, and removes the node and its password. skolo's state remains on the machine. If a machine does not respond, only the node and its password are removed.",
    )
    .summary('remove machines from the cluster')
    .argument('<names...>', 'machines in one rack')
    .requiredOption('--reason <text>', "reason to record in the jumphost's log")
    .addOption(taskLimitOption())
    .option('--force', 'proceed even if this ends a running task')
    .uses('clusters', 'on', 'tokenFile')
    .example("skolo machine leave skia-rpi2-rack4-shelf1-007 --reason 'goes to rack5'");

  command.action(async (words: string[], { reason, taskLimit, force }: LeaveOptions) => {
    const times = { ...taskPolls, taskMs: taskLimit };
    await onEach(command, words, `leave (${reason})`, async (work) => {
      if (force) return await leave(work);
      const { machine, tasks, report, signal } = work;
      const held = await tasks(`leaving the cluster: ${reason}`);
      const given = { times, report, signal };
      const left = await betweenTasks(machine.name, held, given, () => leave(work));
      return left ?? { state: 'failed', text: `${tooLong(times)}; use --force to end them` };
    });
  });
}

interface LeaveOptions {
  reason: string;
  /** Milliseconds. */
  taskLimit: number;
  force?: true;
}

async function leave({ machine: { name }, open, cluster }: Work): Promise<Omit<Result, 'name'>> {
  // Before the node is removed: a running kubelet registers it again.
  const why = await open().then(removeAgent).catch(errorText);
  if (why !== undefined && (await cluster.node(name))?.isReady) {
    return {
      state: 'failed',
      text: `the node is still running, because its k3s agent could not be removed: ${why}`,
    };
  }
  await cluster.forget(name);
  return {
    state: 'left',
    text:
      why === undefined
        ? ''
        : `removed from the cluster, but its software was not uninstalled: ${why}`,
  };
}

interface Work {
  machine: MachineTarget;
  /** The machine, as root. */
  open(): Promise<Host>;
  /** Address of the jumphost. */
  server: string;
  cluster: JoinCluster;
  /** @param reason of a hold */
  tasks(reason: string): Promise<MachineTasks>;
  report(text: string): void;
  signal: AbortSignal;
}

/** @param what for the jumphost's log; undefined: nothing changes */
async function onEach(
  command: SkoloCommand,
  words: readonly string[],
  what: string | undefined,
  work: (work: Work) => Promise<Omit<Result, 'name'>>,
): Promise<void> {
  const { io } = command;
  const { rack, machines } = await findMachines(command, expandedNames(words));
  const inventory = await readRackOf(rack);
  const results = await interruptible(command, async (signal) => {
    const logged = what && `${what}: ${words.join(' ')}`;
    const { jumphost, host } = await openJumphostHost(command, rack, { what: logged, signal });
    const cluster = clusterOn(host);
    const { address: server } = inventory.jumphost;
    const { fetch } = jumphost;
    const report = (text: string) => io.err(plain(text));
    return await inParallel(machines, atOnce, async (machine): Promise<Result> => {
      const { name } = machine;
      const known = inventory.machines.get(name);
      try {
        if (known === undefined) throw new CliError(`${name}: no longer in rack.yaml`);
        const open = () => openHost(machineOptions(jumphost, machine, signal));
        const tasks = async (reason: string) => {
          const power = await powerDaemonAt(command, inventory, jumphost);
          const deps = { rack: inventory, power, fetch, reason, now: io.now, report };
          return tasksOf(known, deps);
        };
        return { name, ...(await work({ machine, open, server, cluster, tasks, report, signal })) };
      } catch (error) {
        signal.throwIfAborted();
        return { name, state: 'failed', text: errorText(error) };
      }
    });
  });
  printNodes(io, results);
}

/** Prints the result for each node. Sets the exit code. */
export function printNodes(io: Io, results: readonly Result[]): void {
  const isWrong = ({ state }: Result) => state === 'failed' || state === 'differs';
  printTable(
    io,
    [
      { title: 'NAME', cell: ({ name }) => name },
      {
        title: 'STATE',
        cell: ({ state }) => state,
        style: (result) => (isWrong(result) ? 'red' : undefined),
      },
      { title: 'WHAT', cell: ({ text }) => plain(text), shrinkTo: 20 },
    ],
    results,
  );
  const wrong = results.filter(isWrong).length;
  if (wrong > 0) failPartly(io, wrong < results.length);
}
