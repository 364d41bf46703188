import { cp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FleetError } from './errors.ts';

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
  images: { prefix?: string | undefined; tag?: string | undefined },
): Promise<void> {
  const [old, own] = [join(folder, from), join(folder, to)];
  const isThere = (path: string) => stat(path).catch(() => undefined);
  if (!(await isThere(old))) throw new FleetError(`${old}: there is no such overlay`);
  if (await isThere(own)) throw new FleetError(`${own}: is there already`);
  const derived = join(old, 'derived');
  await cp(old, own, { recursive: true, filter: (path) => path !== derived });
  for (const file of await readdir(own, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    const text = (await readFile(path, 'utf8'))
      .replaceAll(from, to)
      .replace(/(?<=newName: ).*\//g, (written) => images.prefix ?? written)
      .replace(/(?<=newTag: ).*/g, (written) => images.tag ?? written);
    await writeFile(path, text);
  }
}
