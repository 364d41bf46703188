import { resolve } from 'node:path';
import { shellWord } from '@skolo/base';
import type { OpenRack } from '@skolo/fleet';
import type { Role } from '@skolo/rack';
import type { SkoloCommand } from '../../command.ts';
import { clustersFile, openNamed, roleOption } from '../../reach/racks.ts';
import { programEnd } from '../../reach/run-program.ts';

interface AttachOptions {
  role: Role;
  print?: true;
}

/** `skolo attach`: a shell, or one command, with KUBECONFIG for a rack's cluster. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Starts your shell, or runs a single command, with KUBECONFIG set for a rack's cluster. The cluster is reached through an SSH tunnel to the jumphost, which reconnects if it drops, and closes when the shell exits. KUBECONFIG contains a token that expires. Other shells are not affected.",
    )
    .argument('<rack>', 'rack name, as listed by skolo racks')
    .argument('[command...]', 'command and arguments, after --')
    .addOption(roleOption())
    .option(
      '--print',
      'print variables for another shell, and keep the tunnel open until you press Ctrl-C',
    )
    .uses('clusters')
    .example('skolo attach rack4 -- kubectl get pods -A');

  command.action(async (name: string, words: string[], { role, print }: AttachOptions) => {
    const { io } = command;
    if (print && words.length > 0) command.error("specify a command or '--print', not both");
    const open = await openNamed(command, name, role);
    if (print) return await keepOpen(command, open);
    const { program, args, env } = await programOf(command, open, words);
    const child = open.spawn(program, args, { env, stdio: 'inherit' });
    io.exitCode = (await programEnd(io, program, child)).exitCode;
  });
}

async function programOf(command: SkoloCommand, open: OpenRack, words: readonly string[]) {
  const env = { ...open.env, ...(await variables(command, open)) };
  const [program, ...args] = words;
  if (program !== undefined) return { program, args, env };
  const { prepareShell } = await import('@skolo/fleet');
  return await prepareShell(command.io.env.SHELL || '/bin/sh', { ...open, env });
}

/** For scripts: the connection is open while this command runs. */
async function keepOpen(command: SkoloCommand, open: OpenRack): Promise<void> {
  const { io } = command;
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = io.onSignal(() => resolve());
  for (const [name, value] of Object.entries(await variables(command, open))) {
    io.out(`export ${name}=${shellWord(value)}`);
  }
  await promise;
  end();
}

/** With these variables, kubectl and skolo work on this rack, in any directory. */
async function variables(command: SkoloCommand, open: OpenRack) {
  const { kubeconfig, rack } = open;
  const clusters = resolve(command.io.folder, await clustersFile(command));
  const own = { KUBECONFIG: kubeconfig, SKOLO_CLUSTERS: clusters, SKOLO_ON: rack.name };
  if (rack.type === 'gke') return own;
  const { shareWay } = await import('@skolo/fleet');
  const { file, close } = await shareWay(open);
  command.atEnd(close);
  return { ...own, SKOLO_WAY: file };
}
