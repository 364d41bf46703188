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
 * Copies a rack's overlay for a new rack, with its name in all files. It omits `derived/`, which is generated from rack.yaml, and
 * `secrets/`, because each rack has its own.
 *
 * @param folder the directory of all racks, `kube/racks`
 * @param images prefix and tag of all images in the new rack; absent: those of the copied rack
 * @throws FleetError The overlay does not exist, or the new one already does.
 */
export async function copyOverlay(
  folder: string,
  { from, to }: { from: string; to: string },
  images: Images,
): Promise<void> {
  const [old, own] = [join(folder, from), join(folder, to)];
  if (!existsSync(old))
    throw new FleetError(
      `${old}: no such overlay; run this command in a clone of the racks repository`,
    );
  if (existsSync(own)) throw new FleetError(`${own} already exists`);
  const left = ['derived', 'secrets'].map((each) => join(old, each));
  await cp(old, own, { recursive: true, filter: (path) => !left.includes(path) });
  for (const file of await readdir(own, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    const text = (await readFile(path, 'utf8')).replaceAll(from, to);
    const hasImages = file.name === 'kustomization.yaml';
    await writeFile(path, hasImages ? withImages(text, path, images) : text);
  }
}

/** A digest belongs to the copied rack's tag, so it is removed with it. */
function withImages(text: string, file: string, { prefix, tag }: Images): string {
  const named = text.replace(/(?<=newName: ).*\//g, (written) => prefix ?? written);
  if (tag === undefined) return named;
  const pins = readPins(named, file).map(({ digest: _, ...pin }) => ({ ...pin, tag }));
  return withPins(named, pins);
}
