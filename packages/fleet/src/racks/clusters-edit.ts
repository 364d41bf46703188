/** Edits kube/clusters/config.json and keeps the rest of it. */
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseJson } from '@skolo/base';
import { makeFolder, readFileIfExists, writeFileAtomic } from '@skolo/base/durable';
import { z } from 'zod';
import { FleetError } from '../errors.ts';
import { findRack, parseFleet, readFleet } from './clusters.ts';

export type NewRack =
  | {
      type: 'k3s';
      jumphost: string;
      /** If ssh cannot resolve its name. */
      address?: string | undefined;
      user?: string | undefined;
      jump?: string | undefined;
    }
  | { type: 'gke'; zone: string; project: string };

const firstPort = 6442;

/** Creates the file if necessary. @throws FleetError The rack already exists. @throws RackError A value is invalid. */
export async function addRack(file: string, name: string, rack: NewRack): Promise<void> {
  const fleet = await parseFleet(await textOf(file), file);
  if (fleet.racks.some((each) => each.name === name)) {
    throw new FleetError(`${name}: ${fleet.file} already lists this rack; edit it there`);
  }
  await change(file, (clusters) => ({ ...clusters, [name]: entryOf(name, rack, clusters) }));
}

/** @throws FleetError The rack does not exist. */
export async function removeRack(file: string, name: string): Promise<void> {
  findRack(await readFleet(file), name);
  await change(file, ({ [name]: _, ...others }) => others);
}

/** The file's text with this epoch for the jumphost of a k3s rack. */
export function withEpoch(text: string, name: string, epoch: number): string {
  return edited(text, (all) => ({ ...all, [name]: { ...JsonObject.parse(all[name]), epoch } }));
}

type Clusters = Record<string, unknown>;
const JsonObject = z.record(z.string(), z.unknown());
/** The Skia system also has ports as text. */
const WithPort = z.looseObject({ port: z.coerce.number().catch(0) });

/** On a computer without a clone, until it has a rack. */
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

/** Unparsed, because a schema would reorder the keys. */
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
    // The Skia system requires one for each.
    port: Math.max(firstPort - 1, ...ports) + 1,
    ...(user !== undefined && { user }),
    ...((address ?? jump) !== undefined && { ways: [way] }),
  };
}
