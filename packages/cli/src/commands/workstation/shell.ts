import type { OpenRack } from '@skolo/fleet';
import { z } from 'zod';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { kubectlJson } from '../../reach/kubectl-json.ts';
import { audit, findComputers } from '../../reach/machine-way.ts';
import { interruptible, openJumphostOf, openNamed } from '../../reach/racks.ts';
import { programEnd } from '../../reach/run-program.ts';

interface ShellOptions {
  bot?: true;
  adb?: string;
}

/** `skolo shell`: opens a shell on a machine. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Starts a shell on a machine, or on the jumphost itself, over SSH with your own key. Machines are reached through their rack's jumphost. With --bot, the shell runs in the agent's pod, and with --adb, on a phone; both require the admin role in the cluster. The jumphost's log records who started the shell.",
    )
    .argument('<machine>', 'machine or jumphost of any rack in the clusters file')
    .option('--bot', "start the shell in the agent's pod")
    .option('--adb <serial>', 'start the shell on the phone with this serial number')
    .uses('clusters', 'on')
    .example('skolo shell skia-rpi2-rack4-shelf1-007');

  command.action(async (name: string, { bot, adb }: ShellOptions) => {
    const { io } = command;
    if (bot && adb !== undefined) command.error("specify '--bot' or '--adb', not both");
    const { rack, machines } = await findComputers(command, [name]);
    const [machine] = machines;
    if (machine === undefined) return;
    if (bot || adb !== undefined) {
      if (machine.isJumphost)
        throw new CliError(`${name}: this is a jumphost; --bot and --adb apply only to machines`);
      const open = await openNamed(command, rack.name, 'admin');
      const where =
        adb === undefined ? `in the agent's pod on ${name}` : `on phone ${adb} of ${name}`;
      await interruptible(command, (signal) => audit(open, rack.name, `shell ${where}`, signal));
      const child = await inPod(command, open, name, programOf(adb), io.canAsk);
      io.exitCode = (await programEnd(io, 'kubectl', child)).exitCode;
      return;
    }
    const jumphost = await openJumphostOf(command, rack);
    const child = await interruptible(command, async (signal) => {
      await audit(jumphost, rack.name, `shell on ${name}`, signal);
      const how = { hasTerminal: io.canAsk };
      return await jumphost.startOnMachine(machine, how, { stdio: 'inherit' }, signal);
    });
    io.exitCode = (await programEnd(io, 'ssh', child)).exitCode;
  });
}

function programOf(serial: string | undefined): string[] {
  return serial === undefined
    ? ['sh', '-c', 'command -v bash > /dev/null && exec bash; exec sh']
    : ['adb', '-s', serial, 'shell'];
}

const Pods = z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string() }) })) });

async function inPod(
  command: SkoloCommand,
  open: OpenRack,
  machine: string,
  program: readonly string[],
  hasTerminal: boolean,
) {
  const { items } = await interruptible(command, (signal) =>
    kubectlJson(
      open,
      Pods,
      [
        ...['get', 'pods', '-n', 'skolo-node', '-l', 'app.kubernetes.io/name=swarming-client'],
        ...['--field-selector', `spec.nodeName=${machine},status.phase=Running`],
      ],
      signal,
    ),
  );
  const [pod] = items;
  if (pod === undefined) {
    throw new CliError(
      `${machine}: the agent's pod is not running on this machine; for a shell on the machine itself, omit --bot and --adb`,
    );
  }
  const flags = hasTerminal ? '-it' : '-i';
  const args = ['exec', flags, '-n', 'skolo-node', pod.metadata.name, '--', ...program];
  return open.spawn('kubectl', args, { stdio: 'inherit' });
}
