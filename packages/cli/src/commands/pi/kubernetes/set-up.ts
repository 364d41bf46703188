import { join } from 'node:path';
import {
  addRack,
  FleetError,
  type FleetRack,
  type NewRack,
  readFleet,
  usualFile,
} from '@skolo/fleet';
import type { Rack } from '@skolo/rack';
import { isDone, type Member, setUp } from '@skolo/setup/cluster';
import { ipv4 } from '../../../arguments.ts';
import type { SkoloCommand } from '../../../command.ts';
import { CliError } from '../../../errors.ts';
import { expandedNames } from '../../../names.ts';
import { addWayOptions, type Pis, type PiWayOptions } from '../../../reach/pis.ts';
import { clustersFile, rackOn, withJumphost } from '../../../reach/racks.ts';
import { accountManifests } from '../../jumphost/steps/accounts.ts';
import { onPis } from '../pi-steps.ts';
import { addProgramOptions, type ProgramOptions, programNeeds } from './program-options.ts';

interface Options extends ProgramOptions, PiWayOptions {
  check?: true;
  master?: string;
  worker?: string[];
  name?: string;
  address?: string;
}

/** `skolo pi kubernetes setup`: turns computers into a cluster. */
export function defineSetUp(command: SkoloCommand): void {
  addWayOptions(
    addProgramOptions(
      command
        .description(
          'Creates a k3s cluster (or a kubeadm cluster with --kubeadm), with a server on the master and an agent on each worker. Workers join with a token that expires after 15 minutes. The cluster is added to kube/clusters/config.json, so that you can use it with skolo attach, skolo kubectl and skolo push. If one computer fails, the others continue; to retry or to add workers, run the command again. Exit codes: 0 all computers have joined; 3 some have joined; 1 none has joined.',
        )
        .summary('create a cluster, or add nodes to it')
        .argument('[names...]', 'machines, the first of which is the master; ranges allowed')
        .option('--master <name>', 'machine that becomes the server (default: the first name)')
        .option('--worker <names...>', 'machines that become workers; ranges allowed')
        .option(
          '--name <cluster>',
          'name under which skolo racks lists the cluster (default: rack name in rack.yaml)',
        )
        .option(
          '--address <address>',
          'address at which the workers reach the master (default: its address in rack.yaml)',
          ipv4,
        )
        .option('--check', 'only show the differences'),
    ),
  )
    .uses('rack', 'on', 'clusters')
    .example("skolo pi kubernetes setup --master host01 --worker 'host[02-10]'");

  command.action(async (words: string[], options: Options) => {
    const { io } = command;
    const names = [...new Set(expandedNames([...words, ...(options.worker ?? [])]))];
    const master = options.master ?? names[0];
    if (master === undefined) command.error("specify machine names, or '--master' and '--worker'");
    const workers = names.filter((each) => each !== master);
    const what = `pi kubernetes setup of ${master}`;
    await onPis(command, [master, ...workers], { ...options, what }, async (pis, given) => {
      const { signal, isCheck } = given;
      const server = { name: master, address: options.address ?? addressIn(pis.rack, master) };
      const entry = await entryFor(command, pis, server, options);
      const { plan, download } = programNeeds(command, options, signal);
      const agents = workers.map((name): Member => {
        const address = pis.rack?.machines.get(name)?.address;
        return { name, ...(address !== undefined && { address }) };
      });
      const all = await setUp(
        { ...plan, server, agents },
        { ...given, download, accounts: accountManifests },
      );
      given.end();
      if (all[0] && isDone(all[0]) && !isCheck && !entry.isThere) {
        await addRack(entry.file, entry.name, entry.rack);
        io.err(`${entry.name}: added to ${entry.file}; run skolo attach ${entry.name} to use it`);
      }
      return all;
    });
  });
}

function addressIn(rack: Rack | undefined, name: string): string {
  const { jumphost } = rack ?? {};
  const address = jumphost?.name === name ? jumphost.address : rack?.machines.get(name)?.address;
  if (address !== undefined) return address;
  throw new CliError(
    `${name}: rack.yaml does not contain its address, which the workers require; add the address, or specify --address`,
  );
}

/** The new entry in the list of racks. @throws CliError It has another cluster with this name. */
async function entryFor(
  command: SkoloCommand,
  pis: Pis,
  { name: host, address }: Required<Member>,
  options: Options,
) {
  const name = options.name ?? pis.rack?.name;
  if (name === undefined) throw new CliError('the cluster has no name; specify one with --name');
  const { file, racks } = await knownRacks(command);
  const { user, jump } = await wayOn(command, pis, host);
  const rack: NewRack = { type: 'k3s', jumphost: host, address, user, jump };
  const known = racks.find((each) => each.name === name);
  if (known !== undefined && (known.type !== 'k3s' || known.jumphost !== host)) {
    throw new CliError(
      `${name}: ${file} already contains a different cluster with this name; choose another name with --name, or remove that cluster with skolo racks remove ${name}`,
    );
  }
  return { name, file, rack, isThere: known !== undefined };
}

/** Without a list, creates one in this directory. */
async function knownRacks(
  command: SkoloCommand,
): Promise<{ file: string; racks: readonly FleetRack[] }> {
  let file = join(command.io.folder, usualFile);
  try {
    file = await clustersFile(command);
    return await readFleet(file);
  } catch (error) {
    if (error instanceof FleetError && error.code === 'NO_CLUSTERS') return { file, racks: [] };
    throw error;
  }
}

/** User, and the host to connect through. */
async function wayOn(command: SkoloCommand, pis: Pis, host: string) {
  const user = pis.userOf(host);
  if (command.globals().on === undefined) return { user, jump: undefined };
  const through = withJumphost(await rackOn(command));
  const [way] = through.ways;
  if (way === undefined || through.jumphost === host) return { user, jump: undefined };
  return { user, jump: `${way.user === undefined ? '' : `${way.user}@`}${way.host}` };
}
