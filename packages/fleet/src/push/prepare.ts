/**
 * Prepares a push before anything is changed, and decides whether it is rejected: wrong rack or cluster, a checkout older than what the
 * rack runs, errors in rack.yaml.
 */
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readFileIfExists } from '@skolo/base/durable';
import { rackNameIn } from '@skolo/rack/light';
import { z } from 'zod';
import { FleetError } from '../errors.ts';
import { listTags, parseImage, resolveImage } from '../images/registry.ts';
import { neededImages, proveImages } from './images.ts';
import type { Last } from './lease.ts';
import { type KubeObject, readObjects, titleOf } from './objects.ts';
import { partOf, type RackPlan } from './plan.ts';
import { isRackFile, rackIn, rackTextIn } from './push-rack-file.ts';
import { planRack, type Rack, readLive, readNodes } from './rack.ts';
import type { Request } from './record.ts';
import { changedSince, contains, type Repository, withCopy } from './repository.ts';
import { isDirty, newestTag, type Pin, pinsOf, readPins, withPins } from './versions.ts';

export interface Preparation {
  plan: RackPlan;
  /** Versions that the push sets. */
  pins: Pin[];
  /** The same images before. */
  previous: Pin[];
}

/** The file in which a rack's overlay pins its images. */
export function kustomizationOf({ kube }: Pick<Repository, 'kube'>, rack: string): string {
  return join(kube, 'racks', rack, 'kustomization.yaml');
}

/**
 * Renders the overlay in git with the requested versions, and compares it with the rack.
 *
 * @param last the push that the rack runs
 * @throws FleetError It must not be pushed.
 */
export async function prepareRack(
  rack: Rack,
  repository: Repository,
  request: Pick<Request, 'services' | 'version' | 'isRollback'>,
  last: Last | undefined,
  signal: AbortSignal,
  options: { isDry?: boolean } = {},
): Promise<Preparation> {
  await rejectBehind(rack, repository, last, signal);
  return await withCopy(repository, signal, async (kube) => {
    const file = kustomizationOf({ kube }, rack.name);
    const own = kustomizationOf(repository, rack.name);
    const text = await readFileIfExists(file);
    if (text === undefined) throw new FleetError(`${own}: not in the last commit; commit it`);
    const previous = readPins(text, own);
    const render = () => renderOverlay(rack, join(kube, 'racks', rack.name));
    const asCommitted = await render();
    const isUsed = usedIn(asCommitted);
    const pins = request.isRollback
      ? previousPins(rack, last)
      : await newPins(rack, previous.filter(isUsed), request, signal);
    const pinned = withPins(text, pins);
    if (pinned !== text) await writeFile(file, pinned);
    const objects = pinned === text ? asCommitted : await render();
    await mustBeOf(rack, objects, join(dirname(own), 'rack.yaml'));
    const plan = await planRack(rack, objects, options);
    await proveImages(neededImages(plan, await readNodes(rack)), signal);
    const names = new Set(pins.map(({ name }) => name));
    return { plan, pins, previous: previous.filter(({ name }) => names.has(name)) };
  });
}

/**
 * The same for rack.yaml alone.
 *
 * @throws FleetError The overlay does not contain the `rack` ConfigMap, or must not be pushed.
 */
export async function prepareRackFile(
  rack: Rack,
  repository: Repository,
  last: Last | undefined,
  signal: AbortSignal,
): Promise<RackPlan> {
  await rejectBehind(rack, repository, last, signal);
  await rejectDerived(rack, repository, last, signal);
  return await withCopy(repository, signal, async (kube) => {
    const all = await renderOverlay(rack, join(kube, 'racks', rack.name));
    await mustBeOf(rack, all, join(dirname(kustomizationOf(repository, rack.name)), 'rack.yaml'));
    const wanted = all.filter(isRackFile);
    if (wanted.length > 0) return { ...(await planRack(rack, wanted)), deletions: [] };
    throw new FleetError(`${rack.name}: the overlay does not contain the rack ConfigMap`);
  });
}

const Facts = z.object({ data: z.object({ SKOLO_RACK_NAME: z.string() }) });

/**
 * Verifies that both the overlay and the cluster belong to this rack. Sends nothing.
 *
 * @param file rack.yaml, for messages
 * @throws RackError rack.yaml has errors.
 * @throws FleetError The overlay or cluster belongs to another rack.
 */
async function mustBeOf(rack: Rack, objects: readonly KubeObject[], file: string): Promise<void> {
  const { name } = rack;
  const files = objects.filter(isRackFile);
  for (const object of files) {
    const named = rackIn(object, file).name;
    if (named !== name) throw anotherOverlay(name, `rack.yaml is for ${named}`);
  }
  for (const object of objects) {
    const named = Facts.safeParse(object).data?.data.SKOLO_RACK_NAME;
    if (object.kind !== 'ConfigMap' || named === undefined || named === name) continue;
    throw anotherOverlay(name, `derived/ is for ${named}`);
  }
  for (const live of await readLive(rack, files)) {
    // An earlier version wrote it, so only its name is read.
    const running = rackNameIn(rackTextIn(live) ?? '');
    if (running === undefined || running === name) continue;
    throw new FleetError(
      `${name}: this is the cluster of ${running}; fix \`jumphost\` and \`ways\` of ${name} in kube/clusters/config.json. If the rack was renamed, delete ${titleOf(live)} in the cluster instead`,
    );
  }
}

function anotherOverlay(name: string, how: string): FleetError {
  const why = `the overlay belongs to another rack: ${how}; nothing was sent`;
  return new FleetError(`${name}: ${why}; fix kube/racks/${name} and commit it`);
}

/** @throws FleetError The rack runs a commit that this checkout does not contain. */
async function rejectBehind(
  rack: Rack,
  repository: Repository,
  last: Last | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (last === undefined || (await contains(repository, last.commit, signal))) return;
  throw new FleetError(
    `${rack.name}: the rack runs commit ${last.commit.slice(0, 10)} (deployed by ${last.by}), which is not in your clone of the racks repository; run git pull`,
  );
}

/** @throws FleetError The files that `skolo rack render` derives from rack.yaml are newer than what the rack runs. */
async function rejectDerived(
  { name }: Rack,
  repository: Repository,
  last: Last | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (last === undefined) return;
  const derived = join(dirname(kustomizationOf(repository, name)), 'derived');
  const [first, ...more] = await changedSince(repository, last.commit, derived, signal);
  if (first === undefined) return;
  const others = more.length > 0 ? ` and ${more.length} more` : '';
  throw new FleetError(
    `${name}: ${first}${others} changed since the rack's last push, so rack.yaml alone is not enough; run skolo push --racks ${name} --reason WHY`,
  );
}

/**
 * Objects of an overlay, each with the label by which its owner finds it: in kubectl 1.27 to 1.30, labels of a component do not reach
 * ConfigMaps that the overlay generates (kubernetes-sigs/kustomize#5060).
 *
 * @throws KubectlError kustomize rejects it.
 */
export async function renderOverlay(
  { kubectl }: Rack,
  folder: string,
  owner = 'skolo',
): Promise<KubeObject[]> {
  return readObjects(await kubectl(['kustomize', folder])).map((object) => ({
    ...object,
    metadata: { ...object.metadata, labels: { [partOf]: owner, ...object.metadata.labels } },
  }));
}

function usedIn(objects: readonly KubeObject[]): (pin: Pin) => boolean {
  const text = JSON.stringify(objects);
  return ({ repository }) => text.includes(`"${repository}:`);
}

function previousPins({ name }: Rack, last: Last | undefined): Pin[] {
  if (last && last.previous.length > 0) return last.previous;
  const why = last
    ? `push ${last.id} did not change any version`
    : 'no push has reached this rack yet';
  throw new FleetError(
    `${name}: ${why}; to deploy an earlier version, run skolo push --racks ${name} --version TAG (skolo push log --racks ${name} lists them)`,
  );
}

/** With a version or services; otherwise as in git. */
async function newPins(
  { name }: Rack,
  pins: readonly Pin[],
  { services, version }: Pick<Request, 'services' | 'version'>,
  signal: AbortSignal,
): Promise<Pin[]> {
  if (services.length === 0 && version === undefined) return [];
  return await Promise.all(
    pinsOf(pins, services, name).map(async (pin) => {
      const tag = version ?? (await newest(pin, signal));
      if (isDirty(tag)) {
        throw new FleetError(
          `${pin.repository}:${tag}: this image was built from uncommitted changes; commit them and build it again`,
        );
      }
      const image = imageOf(pin, tag);
      const { digest } = await resolveImage(image, signal);
      return { ...pin, tag, digest };
    }),
  );
}

async function newest(pin: Pin, signal: AbortSignal): Promise<string> {
  const tag = newestTag(await listTags(imageOf(pin, pin.tag), signal));
  if (tag !== undefined) return tag;
  throw new FleetError(
    `${pin.repository}: no tag of a clean build (TIME-USER-COMMIT-clean) found; specify a tag with --version`,
  );
}

function imageOf({ repository }: Pin, tag: string) {
  const image = parseImage(`${repository}:${tag}`);
  if (image) return image;
  throw new FleetError(`${repository}:${tag}: the registry is missing, or the tag is invalid`);
}
