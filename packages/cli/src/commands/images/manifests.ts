import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorText } from '@skolo/base';
import { type ImageName, parseImage } from '@skolo/fleet/registry';
import { yamlErrors } from '@skolo/rack';
import { isMap, isScalar, LineCounter, parseAllDocuments, visit } from 'yaml';
import { CliError } from '../../errors.ts';

export interface ManifestFile {
  path: string;
  text: string;
  images: ImageReference[];
}

/**
 * Finds manifests that name registry images, in and below the given files and directories.
 *
 * @throws CliError One of them cannot be read, or is not YAML.
 */
export async function readManifestFiles(paths: readonly string[]): Promise<ManifestFile[]> {
  const files: ManifestFile[] = [];
  for (const path of (await Promise.all(paths.map(yamlFiles))).flat()) {
    const text = await readFile(path, 'utf8');
    // Skips templates of other programs, which name no image.
    if (!/\bimage\b/.test(text)) continue;
    try {
      const images = imageReferencesIn(text);
      if (images.length > 0) files.push({ path, text, images });
    } catch (cause) {
      const why = errorText(cause);
      throw new CliError(`${path}: not YAML: ${why}`, undefined, { cause });
    }
  }
  return files;
}

async function yamlFiles(path: string): Promise<string[]> {
  const found = await stat(path).catch((cause: unknown) => {
    if (errorCode(cause) !== 'ENOENT') throw cause;
    const how = 'specify directories of a clone, or files in them';
    throw new CliError(`${path}: no such file or directory; ${how}`, undefined, { cause });
  });
  if (!found.isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** An image with a registry; excludes `skolo/NAME:unset` of kube/base. */
export interface ImageReference extends ImageName {
  /** From 1. */
  line: number;
  /** Offsets of the reference in the text. */
  start: number;
  end: number;
}

/**
 * @returns all values of `image` with a registry and a tag, in text order
 * @throws Error The text is not YAML; the message says where and what to do.
 */
function imageReferencesIn(text: string): ImageReference[] {
  const lineCounter = new LineCounter();
  const found: ImageReference[] = [];
  for (const document of parseAllDocuments(text, { lineCounter })) {
    if (!('contents' in document)) continue;
    const [error] = yamlErrors(text, document.errors);
    if (error) {
      const { line, column, message } = error;
      throw new Error(`line ${line}, column ${column}: ${message}`);
    }
    visit(document, {
      Pair(_, { key, value }, path) {
        const isImage = isScalar(key) && key.value === 'image' && isMap(path.at(-1));
        if (!isImage || !isScalar(value) || typeof value.value !== 'string' || !value.range) return;
        const image = parseImage(value.value);
        if (image === undefined) return;
        const quotes = value.type === 'QUOTE_SINGLE' || value.type === 'QUOTE_DOUBLE' ? 1 : 0;
        const start = value.range[0] + quotes;
        const end = value.range[1] - quotes;
        const { line } = lineCounter.linePos(start);
        found.push({ ...image, line, start, end });
      },
    });
  }
  return found;
}

/** `docker.io/prom/prometheus:v3.13.3`, without the digest. */
export function nameOf({ registry, repository, tag }: ImageReference): string {
  return `${registry}/${repository}:${tag}`;
}

/**
 * Adds the digest to each image in `digests`, and changes nothing else.
 *
 * @param digests by {@link nameOf}
 */
export function withDigests(text: string, digests: ReadonlyMap<string, string>): string {
  let pinned = text;
  // From the end, so that earlier offsets stay valid.
  for (const reference of imageReferencesIn(text).toReversed()) {
    const digest = digests.get(nameOf(reference));
    if (digest === undefined) continue;
    const { start, end } = reference;
    pinned = `${pinned.slice(0, start)}${nameOf(reference)}@${digest}${pinned.slice(end)}`;
  }
  return pinned;
}
