import { join } from 'node:path';
import { isDone, type Member, setUp } from '@skolo/cluster';
import {
  addRack,
  FleetError,
  type FleetRack,
  type NewRack,
  readFleet,
  usualFile,
} from '@skolo/fleet';
import type { Rack } from '@skolo/rack';
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

/** `skolo pi kubernetes setup`: computers become a cluster. */
export function defineSetUp(command: SkoloCommand): void {
  addWayOptions(
    addProgramOptions(
      command
        .description(
          'Makes a cluster of k3s, or with --kubeadm of kubeadm: a server on the master, and an agent on each worker (with kubeadm, its kubelet). Each worker joins by a token that expires after 15 minutes and has the digest of the authority of the server, so that it trusts no other server. The cluster appears in kube/clusters/config.json, so that skolo attach, skolo kubectl and skolo push work on it. Each step changes only what differs: run it again after a failure, or with more workers. One that fails does not stop the others. Exit codes: 0 all are in it; 3 some are; 1 none is.',
        )
        .summary('make a cluster, or add to it')
        .argument('[names...]', 'machines, with ranges: the first is the master')
        .option('--master <name>', 'the server (default: the first name)')
        .option('--worker <names...>', 'the agents, with ranges')
        .option('--name <cluster>', 'name in the list of racks (default: of rack.yaml)')
        .option(
          '--address <address>',
          'of the master, for the workers (default: of rack.yaml)',
          ipv4,
        )
        .option('--check', 'show what differs; changes nothing'),
    ),
  )
    .uses('rack', 'on', 'clusters')
    .example("skolo pi kubernetes setup --master host01 --worker 'host[02-10]'");

  command.action(async (words: string[], options: Options) => {
    const { io } = command;
    const names = [...new Set(expandedNames([...words, ...(options.worker ?? [])]))];
    const master = options.master ?? names[0];
    if (master === undefined) command.error("give names, or '--master' and '--worker'");
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
        {
          ...given,
          download,
          now: io.now,
          accounts: accountManifests,
          open: (name) => pis.open(name, signal),
        },
      );
      given.end();
      if (all[0] && isDone(all[0]) && !isCheck && !entry.isThere) {
        await addRack(entry.file, entry.name, entry.rack);
        io.err(`${entry.name}: added to ${entry.file}; skolo attach ${entry.name} opens it`);
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
    `${name}: rack.yaml has no address of it, and the workers have to reach it; add one, or give --address`,
  );
}

/** What the list of racks is to have. @throws CliError It has another cluster of this name. */
async function entryFor(
  command: SkoloCommand,
  pis: Pis,
  { name: host, address }: Required<Member>,
  options: Options,
) {
  const name = options.name ?? pis.rack?.name;
  if (name === undefined) throw new CliError('the cluster has no name; give one with --name');
  const { file, racks } = await knownRacks(command);
  const { user, jump } = await wayOn(command, pis, host);
  const rack: NewRack = { type: 'k3s', jumphost: host, address, user, jump };
  const known = racks.find((each) => each.name === name);
  if (known !== undefined && (known.type !== 'k3s' || known.jumphost !== host)) {
    throw new CliError(
      `${name}: is another cluster in ${file}; name this one with --name, or remove that one with skolo racks remove ${name}`,
    );
  }
  return { name, file, rack, isThere: known !== undefined };
}

/** Without a list, a new one is made in this folder. */
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

/** User, and the host to go through. */
async function wayOn(command: SkoloCommand, pis: Pis, host: string) {
  const user = pis.userOf(host);
  if (command.globals().on === undefined) return { user, jump: undefined };
  const through = withJumphost(await rackOn(command));
  const [way] = through.ways;
  if (way === undefined || through.jumphost === host) return { user, jump: undefined };
  return { user, jump: `${way.user === undefined ? '' : `${way.user}@`}${way.host}` };
}
