import { existsSync } from 'node:fs';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FleetError } from '../errors.ts';
import { readPins, withPins } from './versions.ts';

interface Images {
  prefix?: string | undefined;
  tag?: string | undefined;
}

/**
 * Copies the overlay of a rack for a new one: with its name in all files, and without `derived/`, which follows from rack.yaml.
 *
 * @param folder that of the racks, `kube/racks`
 * @param images prefix and tag that the new rack has of all images; absent: as the other one
 * @throws FleetError There is no such overlay, or the new one is there already.
 */
export async function copyOverlay(
  folder: string,
  { from, to }: { from: string; to: string },
  images: Images,
): Promise<void> {
  const [old, own] = [join(folder, from), join(folder, to)];
  if (!existsSync(old)) throw new FleetError(`${old}: no such overlay`);
  if (existsSync(own)) throw new FleetError(`${own}: already exists`);
  const derived = join(old, 'derived');
  await cp(old, own, { recursive: true, filter: (path) => path !== derived });
  for (const file of await readdir(own, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    const text = (await readFile(path, 'utf8')).replaceAll(from, to);
    const hasImages = file.name === 'kustomization.yaml';
    await writeFile(path, hasImages ? withImages(text, path, images) : text);
  }
}

/** A digest belongs to the tag of the other rack, and goes with it. */
function withImages(text: string, file: string, { prefix, tag }: Images): string {
  const named = text.replace(/(?<=newName: ).*\//g, (written) => prefix ?? written);
  if (tag === undefined) return named;
  const pins = readPins(named, file).map(({ digest: _, ...pin }) => ({ ...pin, tag }));
  return withPins(named, pins);
}
