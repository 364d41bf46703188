/** Changes of kube/clusters/config.json that keep the rest of it. */
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseJson } from '@skolo/base';
import { makeFolder, readFileIfExists, writeFileAtomic } from '@skolo/durable';
import { z } from 'zod';
import { FleetError } from '../errors.ts';
import { findRack, parseFleet, readFleet } from './clusters.ts';

export type NewRack =
  | {
      type: 'k3s';
      jumphost: string;
      /** Where ssh does not find it by its name. */
      address?: string | undefined;
      user?: string | undefined;
      jump?: string | undefined;
    }
  | { type: 'gke'; zone: string; project: string };

const firstPort = 6442;

/** Makes the file if there is none. @throws FleetError There is such a rack. @throws RackError A value is not valid. */
export async function addRack(file: string, name: string, rack: NewRack): Promise<void> {
  const fleet = await parseFleet(await textOf(file), file);
  if (fleet.racks.some((each) => each.name === name)) {
    throw new FleetError(`${name}: ${fleet.file} already lists this rack; edit it there`);
  }
  await change(file, (clusters) => ({ ...clusters, [name]: entryOf(name, rack, clusters) }));
}

/** @throws FleetError There is no such rack. */
export async function removeRack(file: string, name: string): Promise<void> {
  findRack(await readFleet(file), name);
  await change(file, ({ [name]: _, ...others }) => others);
}

/** The text of the file with this epoch for the jumphost of a rack of k3s. */
export function withEpoch(text: string, name: string, epoch: number): string {
  return edited(text, (all) => ({ ...all, [name]: { ...JsonObject.parse(all[name]), epoch } }));
}

type Clusters = Record<string, unknown>;
const JsonObject = z.record(z.string(), z.unknown());
const WithPort = z.looseObject({ port: z.number() });

/** That of a computer without a clone, until it has a rack. */
async function textOf(file: string): Promise<string> {
  const folder = resolve(dirname(file), '../..');
  const empty = { gitdir: folder, repo: pathToFileURL(folder).href, clusters: {} };
  return (await readFileIfExists(file)) ?? JSON.stringify(empty);
}

async function change(file: string, edit: (clusters: Clusters) => Clusters): Promise<void> {
  const text = edited(await textOf(file), edit);
  await parseFleet(text, file);
  await makeFolder(dirname(file), 0o755);
  await writeFileAtomic(file, text, { mode: 0o644, keepAccess: true });
}

/** As it is: a schema would put the keys in an order of its own. */
function edited(old: string, edit: (clusters: Clusters) => Clusters): string {
  const before = JsonObject.parse(parseJson(old));
  const clusters = edit(JsonObject.parse(before.clusters));
  const indent = /^[ \t]+(?=")/m.exec(old)?.[0] ?? '  ';
  return `${JSON.stringify({ ...before, clusters }, null, indent)}\n`;
}

function entryOf(name: string, rack: NewRack, clusters: Clusters) {
  if (rack.type === 'gke') {
    const { type, zone, project } = rack;
    return { type, context_name: `gke_${project}_${zone}_${name}`, zone, project };
  }
  const { type, jumphost, address, user, jump } = rack;
  const way = { host: jumphost, ...(address && { address }), ...(jump && { jump }) };
  const ports = Object.values(clusters).map((each) => WithPort.safeParse(each).data?.port ?? 0);
  return {
    type,
    context_name: name,
    jumphost,
    // The original system needs one for each.
    port: Math.max(firstPort - 1, ...ports) + 1,
    ...(user !== undefined && { user }),
    ...((address ?? jump) !== undefined && { ways: [way] }),
  };
}
