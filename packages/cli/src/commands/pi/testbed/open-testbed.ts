/** Opens a testbed's cluster, and decides how long it may be unreachable. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { OpenRack } from '@skolo/fleet';
import { patient } from '@skolo/fleet/push';
import { Option } from 'commander';
import type { SkoloCommand } from '../../../command.ts';
import { CliError, exitCodes } from '../../../errors.ts';
import { plain } from '../../../output/text.ts';
import { clustersFile, loadFleet, openNamed } from '../../../reach/racks.ts';
import { shippedPath } from '../../../shipped.ts';

export interface ClusterOptions {
  cluster?: string;
}

/** `--cluster`. */
export function clusterOption(): Option {
  return new Option(
    '--cluster <name>',
    'cluster name, as listed by skolo racks (default: the only one)',
  );
}

/** Interval for polling the cluster. */
export const pollMs = 2_000;

/** How long a cluster may be unreachable. A Pi's API server is slow at times. */
const patienceMs = 60_000;

/** @throws FleetError @throws CliError */
export async function openTestbed(
  command: SkoloCommand,
  { cluster }: ClusterOptions,
  signal: AbortSignal,
): Promise<Pick<OpenRack, 'kubectl' | 'fetch'> & { name: string }> {
  const name = cluster ?? (await onlyCluster(command));
  const { kubectl, fetch } = await openNamed(command, name, 'admin');
  const report = (text: string) => command.io.out(plain(text));
  return { ...patient({ name, kubectl }, { patienceMs, pollMs, signal, report }), fetch };
}

/** `kube/testbed` beside the list of racks, which people may have changed; otherwise the one that comes with the command. */
export async function testbedFolder(command: SkoloCommand): Promise<string> {
  const file = resolve(command.io.folder, await clustersFile(command));
  const own = resolve(dirname(file), '../testbed');
  return existsSync(own) ? own : shippedPath('kube/testbed');
}

async function onlyCluster(command: SkoloCommand): Promise<string> {
  const { file, racks } = await loadFleet(command);
  const [only, ...others] = racks;
  if (only && others.length === 0) return only.name;
  const names = racks.map(({ name }) => name).join(', ');
  const what =
    names === ''
      ? 'lists no clusters; create one with skolo pi kubernetes setup'
      : `lists ${names}; specify one with --cluster`;
  throw new CliError(`${file} ${what}`, exitCodes.wrongCommandLine);
}
