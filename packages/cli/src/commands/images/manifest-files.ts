import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError } from '../../errors.ts';
import { type ImageReference, imageReferencesIn } from './image-references.ts';

export interface ManifestFile {
  path: string;
  text: string;
  images: ImageReference[];
}

/**
 * YAML files that name images of registries, in and below the given files and folders.
 *
 * @throws CliError One of them cannot be read, or is not YAML.
 */
export async function readManifestFiles(paths: readonly string[]): Promise<ManifestFile[]> {
  const files: ManifestFile[] = [];
  for (const path of (await Promise.all(paths.map(yamlFiles))).flat()) {
    const text = await readFile(path, 'utf8');
    // Alert rules and configurations of other programs have templates in them; they name no image.
    if (!/\bimage\b/.test(text)) continue;
    try {
      const images = imageReferencesIn(text);
      if (images.length > 0) files.push({ path, text, images });
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new CliError(`${path}: not YAML: ${why}`, undefined, { cause });
    }
  }
  return files;
}

async function yamlFiles(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
