/** The parts of an image and their bytes, for copying it elsewhere. Source: OCI Image Specification 1.1. */
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { inParallel, parseJson } from '@skolo/base';
import { z } from 'zod';
import {
  askRegistry,
  type Descriptor,
  Image,
  type ImageName,
  Index,
  isFor,
  isManifest,
  platformText,
  RegistryError,
  type Resolved,
  resolveImage,
} from './registry.ts';

/** Time limit without a byte of a blob. */
const stalledMs = 60_000;

/** A manifest, a configuration or a layer. */
export interface Part extends Descriptor {
  /** Its bytes from this offset. */
  open(offset: number, signal: AbortSignal): Promise<Readable>;
}

const Configuration = z.looseObject({
  config: z.looseObject({ Labels: z.record(z.string(), z.string()).nullish() }).optional(),
});

/** The version in the image's label; undefined if it has none. @throws RegistryError */
export async function versionIn(
  image: ImageName,
  signal: AbortSignal,
): Promise<string | undefined> {
  let found = await resolveImage(image, signal);
  if (found.isIndex) {
    const [first] = manifestsIn(found).filter(({ platform }) => platform?.os === 'linux');
    if (first === undefined) return undefined;
    found = await resolveImage({ ...image, digest: first.digest }, signal);
  }
  const [configuration] = partsIn(image, found.bytes);
  if (configuration === undefined) return undefined;
  const json = parseJson(await text(await configuration.open(0, signal)));
  const labels = Configuration.safeParse(json).data?.config?.Labels;
  return labels?.['org.opencontainers.image.version'] || undefined;
}

/** A complete image, for one platform or for all that it supports. */
export interface ImageContent {
  /** Of the index, or of the image itself. */
  root: Descriptor;
  /** Absent: all. */
  platform?: string;
  parts: Part[];
}

/**
 * The parts of an image.
 *
 * @param platforms if specified, such as `linux/arm64`, other platforms are omitted
 * @throws RegistryError
 */
export async function contentOf(
  image: ImageName,
  platforms: readonly string[],
  signal: AbortSignal,
): Promise<ImageContent> {
  const found = await resolveImage(image, signal);
  const root = partOf(found);
  if (!found.isIndex) return { root, parts: [root, ...partsIn(image, found.bytes)] };
  const manifests = manifestsIn(found);
  const [only, ...others] = manifests.filter(
    ({ platform }) => platform && platforms.some((wanted) => isFor(wanted, platformText(platform))),
  );
  const isOne = platforms.length === 1 && only?.platform !== undefined && others.length === 0;
  const parts: Part[] = [root];
  for (const { digest } of isOne ? [only] : manifests) {
    const manifest = await resolveImage({ ...image, digest }, signal);
    parts.push(partOf(manifest), ...partsIn(image, manifest.bytes));
  }
  return { root, parts, ...(isOne && only.platform && { platform: platformText(only.platform) }) };
}

/** Layers of one image that are asked for at the same time. */
const atOnce = 5;

/**
 * Asks the registry whether it has all manifests, configurations and layers of an image for a platform, without reading them.
 *
 * @throws RegistryError It lacks one.
 */
export async function proveParts(
  image: ImageName,
  platform: string,
  signal: AbortSignal,
): Promise<void> {
  const { parts } = await contentOf(image, [platform], signal);
  const blobs = parts.filter(({ mediaType }) => !isManifest(mediaType));
  await inParallel(blobs, atOnce, async ({ digest }) => {
    const path = `blobs/${digest}`;
    const { status } = await askRegistry(image, path, {}, { signal, method: 'HEAD' });
    if (status < 400) return;
    const { registry, repository, tag } = image;
    throw new RegistryError(
      `${registry}/${repository}:${tag}: ${registry} returned ${status} for ${digest}, a part of the image for ${platform}; build the image again`,
    );
  });
}

function manifestsIn({ bytes }: Resolved) {
  return Index.safeParse(parseJson(bytes.toString())).data?.manifests ?? [];
}

function partOf({ type: mediaType, digest, bytes }: Resolved): Part {
  const open = async (offset: number) => Readable.from([bytes.subarray(offset)]);
  return { mediaType, digest, size: bytes.length, open };
}

function partsIn(image: ImageName, manifest: Buffer): Part[] {
  const { data } = Image.safeParse(parseJson(manifest.toString()));
  return (data ? [data.config, ...data.layers] : []).map((each) => ({
    ...each,
    open: (offset, signal) => openBlob(image, each.digest, offset, signal),
  }));
}

async function openBlob(
  image: ImageName,
  digest: string,
  offset: number,
  signal: AbortSignal,
): Promise<Readable> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(new DOMException('', 'TimeoutError')), stalledMs);
  const headers = {
    accept: '*/*',
    'accept-encoding': 'identity',
    ...(offset > 0 && { range: `bytes=${offset}-` }),
  };
  const deadline = stalled.signal;
  const response = await askRegistry(image, `blobs/${digest}`, headers, { signal, deadline });
  const { status, body } = response;
  async function* read() {
    // A registry may ignore the range.
    let left = status === 206 ? 0 : offset;
    try {
      for await (const chunk of body ?? []) {
        timer.refresh();
        if (left < chunk.length) yield chunk.subarray(left);
        left = Math.max(0, left - chunk.length);
      }
    } catch (cause) {
      signal.throwIfAborted();
      const name = `${image.registry}/${image.repository}:${image.tag}`;
      throw new RegistryError(`${name}: the download of a layer was interrupted; try again`, {
        cause,
      });
    } finally {
      clearTimeout(timer);
    }
  }
  if (response.ok) return Readable.from(read());
  clearTimeout(timer);
  await body?.cancel();
  const name = `${image.registry}/${image.repository}:${image.tag}`;
  throw new RegistryError(`${name}: ${image.registry} returned ${status} for a layer`);
}
