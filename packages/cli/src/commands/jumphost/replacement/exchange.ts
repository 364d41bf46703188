/** After a replacement, the spare is the jumphost, so rack.yaml exchanges the wiring of the two. */
import { join, resolve } from 'node:path';
import { withEpoch } from '@skolo/fleet';
import { commitFile, openRepository, sendCommits } from '@skolo/fleet/push';
import { formatOutlet, parseRack, type Rack } from '@skolo/rack';
import { editRack, type RackEdit } from '@skolo/rack/edit';
import type { SkoloCommand } from '../../../command.ts';
import { clustersFile } from '../../../reach/racks.ts';

/** @returns lines for people: what was done, and what is left to do by hand */
export async function exchangeInRack(
  command: SkoloCommand,
  overlay: string,
  spare: string,
  signal: AbortSignal,
): Promise<string[]> {
  const file = join(overlay, 'rack.yaml');
  const repository = await openRepository(await clustersFile(command), signal, {
    mayBeDirty: true,
  });
  const left: string[] = [];
  let isChanged = false;
  await commitFile(repository, {
    file,
    message: `make ${spare} the jumphost\n`,
    edit(text) {
      const edited = editRack(text, exchanged(parseRack(text, { file }), spare, left), file);
      left.push(
        ...edited.left.map(
          ({ edit, why }) => `${edit.name}: \`${edit.key}: ${edit.value}\` (${why})`,
        ),
      );
      isChanged = edited.text !== text;
      return edited.text;
    },
  });
  const why = await sendCommits(repository, signal);
  return [
    ...(isChanged
      ? [`${file}: swapped the wiring of ${spare} and the jumphost, and committed the change`]
      : []),
    ...left.map((each) => `edit ${file} manually: ${each}`),
    ...(why === undefined ? [] : [`git push: ${why}`]),
  ];
}

/**
 * Writes the new jumphost's epoch into the list of racks, so that commands reject the old one.
 *
 * @returns lines for people
 */
export async function noteEpoch(
  command: SkoloCommand,
  rack: string,
  epoch: number,
  signal: AbortSignal,
): Promise<string[]> {
  const file = resolve(command.io.folder, await clustersFile(command));
  const repository = await openRepository(file, signal, { mayBeDirty: true });
  await commitFile(repository, {
    file,
    message: `set the jumphost epoch of ${rack}\n`,
    edit: (text) => withEpoch(text, rack, epoch),
  });
  const why = await sendCommits(repository, signal);
  return [
    `${file}: set the jumphost epoch of ${rack} to ${epoch}, and committed the change`,
    ...(why === undefined ? [] : [`git push: ${why}`]),
  ];
}

function exchanged({ jumphost, machines }: Rack, spare: string, left: string[]): RackEdit[] {
  const machine = machines.get(spare);
  const values = {
    power: [jumphost.power.map(formatOutlet), (machine?.power ?? []).map(formatOutlet)],
    // A router port stays: it is not a switch port.
    uplink: [jumphost.uplink, machine?.uplink].map((uplink) =>
      uplink === undefined || uplink === 'internet' ? [] : [formatOutlet(uplink)],
    ),
    mac: [jumphost, machine].map((each) => (each?.mac ? [each.mac] : [])),
  } as const;
  return (['power', 'uplink', 'mac'] as const).flatMap((key): RackEdit[] => {
    const [own = [], other = []] = values[key];
    const [a, b] = [own[0], other[0]];
    if (own.length === 0 && other.length === 0) return [];
    if (own.length !== 1 || other.length !== 1 || a === undefined || b === undefined) {
      left.push(`swap \`${key}\` of ${jumphost.name} and ${spare}`);
      return [];
    }
    return [
      { name: jumphost.name, key, value: b },
      { name: spare, key, value: a },
    ];
  });
}
