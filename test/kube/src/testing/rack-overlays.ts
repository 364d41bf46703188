/** The overlays of racks as tests build them, and everything that our policies reject in them. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Rack, readRack } from '@skolo/rack';
import { build, copyWithComponents, kubeFolder, usableKubectl } from '../kustomize.ts';
import type { Manifest } from '../manifest.ts';
import { policies } from '../policies/index.ts';
import { privilegeProblems } from '../policies/privileges.ts';
import { botFolders, rackSettingsProblems } from '../policies/rack-settings.ts';
import { pruneProblems } from '../prune.ts';
import { schemaProblems } from '../schema.ts';

const kubectl = usableKubectl();
/** By the rack and its components, because kustomize takes a second for each. */
const builtOverlays = new Map<string, Manifest[]>();

/** Builds the overlay of a rack with exactly these components, once in each file. */
export function buildWith(rack: string, components: readonly string[]): Manifest[] {
  if (!kubectl) return [];
  const key = [rack, ...components.toSorted()].join(' ');
  const built = builtOverlays.get(key);
  if (built) return built;
  const copy = copyWithComponents(rack, components);
  try {
    const objects = build(kubectl, join(copy, 'racks', rack));
    builtOverlays.set(key, objects);
    return objects;
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** Returns what schemas and policies reject in the objects of a rack. */
export async function problemsOf(rack: string, objects: readonly Manifest[]): Promise<string[]> {
  const inventory = await readRackOf(rack);
  return [
    ...objects.flatMap(schemaProblems),
    ...pruneProblems(objects),
    ...[...policies.values()].flatMap((policy) => policy(objects)),
    ...privilegeProblems(objects, { bots: botFolders(inventory) }),
    ...rackSettingsProblems(objects, inventory),
  ];
}

/** Reads the rack.yaml beside an overlay. */
export function readRackOf(rack: string): Promise<Rack> {
  return readRack(join(kubeFolder, 'racks', rack, 'rack.yaml'));
}
