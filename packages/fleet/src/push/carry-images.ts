/**
 * Copies images to a rack without an internet connection, which cannot reach registries, and decides whether its disk has enough space: this
 * workstation reads them, and writes those that the jumphost lacks over SSH into a directory, from which containerd imports them. Each file
 * is named after the digest of its content, so an interrupted push continues where it stopped.
 *
 * Sources: OCI Image Layout Specification 1.0; containerd's `ctr images import` (the annotation `io.containerd.image.name`).
 *
 * Tried with containerd 1.6. k3s contains its own copy of it.
 */
import { count, errorText } from '@skolo/base';
import { FleetError } from '../errors.ts';
import { contentOf, type ImageContent, type Part } from '../images/image-content.ts';
import { parseImage } from '../images/registry.ts';
import { ctrOnServer } from '../way/on-server.ts';
import type { Jumphost } from '../way/way.ts';
import type { NeededImage } from './images.ts';

export interface CarryDeps {
  name: string;
  jumphost: Pick<Jumphost, 'onJumphost'>;
  /** How long a command waits for the jumphost. */
  patienceMs: number;
  signal: AbortSignal;
  report(text: string): void;
}

interface Carried extends ImageContent {
  /** The names that the kubelet requests from containerd. */
  name: string;
}

/** The images in containerd. */
interface Store {
  images: ReadonlySet<string>;
  digests: ReadonlySet<string>;
}

/** In the SSH user's home directory. */
const folder = '~/.cache/skolo-images';

/** @throws FleetError @throws RegistryError @throws The signal's reason. */
export async function carryImages(needed: readonly NeededImage[], deps: CarryDeps): Promise<void> {
  const { name, report, signal } = deps;
  const store = await readStore(deps);
  const images: Carried[] = [];
  for (const each of needed) {
    const image = await readImage(each, signal);
    if (!isIn(store, image)) images.push(image);
  }
  if (images.length === 0) return;
  const parts = new Map(
    images
      .flatMap((image) => image.parts)
      .filter(({ digest }) => !store.digests.has(digest))
      .map((part) => [part.digest, part]),
  );
  const bytes = [...parts.values()].reduce((sum, { size }) => sum + size, 0);
  await rejectFullDisk(bytes, deps);
  const what = count(images.length, 'image');
  report(`copying ${what}, ${megabytes(bytes)}, over SSH`);
  const staged = await readStaged(deps);
  for (const part of parts.values()) await carry(part, staged.get(part.digest) ?? 0, deps);
  const byPlatform = Map.groupBy(images, ({ platform }) => platform);
  for (const [platform, all] of byPlatform) await importImages(all, platform, parts, deps);
  const after = await readStore(deps);
  const missing = images.find((image) => !isIn(after, image));
  if (missing) throw failed(name, `containerd did not import ${missing.name}`);
  await run(`rm -rf ${folder}`, deps);
}

async function readImage({ image, platforms }: NeededImage, signal: AbortSignal): Promise<Carried> {
  const parsed = parseImage(image);
  if (parsed === undefined) throw new FleetError(`${image}: the registry or tag is missing`);
  const { registry, repository, tag, digest } = parsed;
  const name = `${registry}/${repository}${digest === undefined ? `:${tag}` : `@${digest}`}`;
  return { name, ...(await contentOf(parsed, platforms, signal)) };
}

function isIn({ images, digests }: Store, { name, parts }: Carried): boolean {
  return images.has(name) && parts.every(({ digest }) => digests.has(digest));
}

async function readStore(deps: CarryDeps): Promise<Store> {
  const [images, digests] = await Promise.all(
    ['images', 'content'].map(async (what) =>
      (await run(ctrOnServer(`${what} ls -q`), deps)).split('\n'),
    ),
  );
  return { images: new Set(images), digests: new Set(digests) };
}

/** The directory, containerd's copy, and about twice as much for the unpacked files. */
const copies = 4;

async function rejectFullDisk(bytes: number, deps: CarryDeps): Promise<void> {
  // k3s may store its data elsewhere; then only the directory counts.
  const text = await run(inFolder('df -Pk . /var/lib/rancher 2> /dev/null; true'), deps);
  for (const line of text.split('\n').slice(1)) {
    const [, , , free = '', , place] = line.split(/\s+/);
    if (place === undefined || Number(free) * 1024 >= copies * bytes) continue;
    const has = megabytes(Number(free) * 1024);
    throw new FleetError(
      `${deps.name}: the jumphost has ${has} free on ${place}, but the new images require ${megabytes(copies * bytes)}; run sudo k3s crictl rmi --prune on the jumphost to free disk space`,
    );
  }
}

/** Bytes in the directory by digest; `whole` has been verified. */
async function readStaged(deps: CarryDeps): Promise<ReadonlyMap<string, number | 'whole'>> {
  const list = `find blobs partial -type f -printf '%h %f %s\\n'`;
  const lines = (await run(inFolder(list), deps)).split('\n').map((line) => line.split(' '));
  return new Map(
    lines.map(([place, hex = '', size]) => [
      `sha256:${hex}`,
      place === 'partial' ? Number(size) : 'whole',
    ]),
  );
}

/**
 * Copies a part until it is complete, including the bytes from an interrupted attempt.
 *
 * @param staged bytes that already exist
 */
async function carry(part: Part, staged: number | 'whole', deps: CarryDeps): Promise<void> {
  if (staged === 'whole') return;
  const { name, signal } = deps;
  const hex = part.digest.replace('sha256:', '');
  let trouble = 'the connection was closed';
  try {
    const input = staged < part.size ? await part.open(staged, signal) : '';
    const command = inFolder(`${writing(hex, staged)}; ${checking(hex)}`);
    const { code, stdout, stderr } = await deps.jumphost.onJumphost(command, signal, input);
    if (stdout.trim() === 'damaged') {
      throw failed(name, `${part.digest} was damaged in transit and deleted`);
    }
    if (code === 0) return;
    trouble = stderr || trouble;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof FleetError) throw error;
    trouble = errorText(error);
  }
  const now = (await readStaged(deps)).get(part.digest) ?? 0;
  if (now !== 'whole' && now <= staged) throw failed(name, trouble);
  await carry(part, now, deps);
}

/** At its offset in the file, because an interrupted SSH session may still be writing the same bytes. */
function writing(hex: string, from: number): string {
  return `dd of=partial/${hex} oflag=seek_bytes seek=${from} conv=notrunc bs=256k iflag=fullblock status=none || exit`;
}

function checking(hex: string): string {
  const isWhole = `echo '${hex}  partial/${hex}' | sha256sum --check --status`;
  return `${isWhole} && exec mv partial/${hex} blobs/sha256/; rm -f partial/${hex}; echo damaged`;
}

async function importImages(
  images: readonly Carried[],
  platform: string | undefined,
  carried: ReadonlyMap<string, Part>,
  deps: CarryDeps,
): Promise<void> {
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: images.map(({ name, root: { mediaType, digest, size } }) => ({
      mediaType,
      digest,
      size,
      annotations: { 'io.containerd.image.name': name },
    })),
  };
  await run(inFolder('cat > index.json'), deps, JSON.stringify(index));
  const digests = images.flatMap(({ parts }) => parts.map(({ digest }) => digest));
  const files = [...new Set(digests)]
    .filter((digest) => carried.has(digest))
    .map((digest) => `blobs/${digest.replace(':', '/')}`);
  const which = platform === undefined ? '--all-platforms' : `--platform ${platform}`;
  await run(
    inFolder(
      `printf '{"imageLayoutVersion":"1.0.0"}' > oci-layout && tar -cf - oci-layout index.json ${files.join(' ')} | ${ctrOnServer(`images import --no-unpack ${which} -`)}`,
    ),
    deps,
  );
}

function inFolder(command: string): string {
  return `mkdir -p ${folder}/blobs/sha256 ${folder}/partial && cd ${folder} && ${command}`;
}

/** The output of a command. @throws FleetError It failed. */
async function run(
  command: string,
  { name, jumphost, patienceMs, signal }: CarryDeps,
  input?: string,
): Promise<string> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  const { code, stdout, stderr } = await jumphost
    .onJumphost(command, patience, input)
    .catch((error: unknown) => {
      signal.throwIfAborted();
      throw failed(name, errorText(error));
    });
  if (code === 0) return stdout.trim();
  throw failed(name, stderr.split('\n').at(-1) || `${command} exited with ${code}`);
}

function failed(rack: string, why: string): FleetError {
  return new FleetError(
    `${rack}: copying images to the jumphost failed: ${why}; nothing more was deployed; run skolo push resume to continue`,
  );
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
