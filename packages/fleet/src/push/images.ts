/** Verifies that every image of a push exists for the platform of every machine that would run it. */
import { z } from 'zod';
import { FleetError } from '../errors.ts';
import { proveParts } from '../images/image-content.ts';
import { isFor, parseImage, platformsOf, RegistryError, resolveImage } from '../images/registry.ts';
import { type Expression, isWorkload, type KubeObject, templateOf } from './objects.ts';
import type { RackPlan } from './plan.ts';
import { isDirty } from './versions.ts';

const Node = z.object({
  status: z
    .object({
      nodeInfo: z.object({ operatingSystem: z.string(), architecture: z.string() }).optional(),
    })
    .default({}),
});

/** Of a node: `linux/arm64`; undefined: it has not reported it. */
export function platformOf(node: KubeObject): string | undefined {
  const { nodeInfo } = Node.parse(node).status;
  return nodeInfo && `${nodeInfo.operatingSystem}/${nodeInfo.architecture}`;
}

export interface NeededImage {
  image: string;
  /** `linux/arm64`; 32-bit ARM without its version, which nodes do not report. */
  platforms: string[];
}

/** Images of changing workloads, with the platforms of the machines that may run them. */
export function neededImages({ objects }: RackPlan, nodes: readonly KubeObject[]): NeededImage[] {
  const machines = nodes.map((node) => ({
    platform: platformOf(node),
    labels: node.metadata.labels ?? {},
  }));
  const needed = new Map<string, Set<string>>();
  for (const { wanted, before, action } of objects) {
    if (action === 'keep' || !isWorkload(wanted)) continue;
    const runs = new Set(before ? imagesOf(before) : []);
    for (const image of imagesOf(wanted).filter((each) => !runs.has(each))) {
      const platforms = needed.get(image) ?? new Set();
      for (const { platform, labels } of machines) {
        if (platform !== undefined && mayRun(wanted, labels)) platforms.add(platform);
      }
      needed.set(image, platforms);
    }
  }
  return [...needed].map(([image, platforms]) => ({ image, platforms: [...platforms].sort() }));
}

function imagesOf(object: KubeObject): string[] {
  const { containers, initContainers } = templateOf(object).spec;
  return [...initContainers, ...containers].map(({ image }) => image);
}

/** Whether the scheduler may place its pods on a node with these labels. Taints are ignored, so more images are verified. */
function mayRun(workload: KubeObject, labels: Readonly<Record<string, string>>): boolean {
  const { nodeSelector, affinity } = templateOf(workload).spec;
  const terms =
    affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return (
    Object.entries(nodeSelector).every(([name, value]) => labels[name] === value) &&
    (terms === undefined ||
      terms.some(({ matchExpressions }) => matchExpressions.every((each) => matches(each, labels))))
  );
}

function matches(
  { key, operator, values }: Expression,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = labels[key];
  if (operator === 'In') return value !== undefined && values.includes(value);
  if (operator === 'NotIn') return value === undefined || !values.includes(value);
  if (operator === 'Exists') return value !== undefined;
  if (operator === 'DoesNotExist') return value === undefined;
  return true;
}

/**
 * Asks the registries.
 *
 * @throws FleetError All problems in one message.
 */
export async function proveImages(
  needed: readonly NeededImage[],
  signal: AbortSignal,
): Promise<void> {
  const faults = await Promise.all(needed.map((each) => faultOf(each, signal)));
  const found = faults.filter((fault) => fault !== undefined);
  if (found.length > 0) throw new FleetError(found.join('; '));
}

async function faultOf(
  { image, platforms }: NeededImage,
  signal: AbortSignal,
): Promise<string | undefined> {
  const name = parseImage(image);
  if (name === undefined) {
    return `${image}: the registry or tag is missing; add it under \`images\` in the rack's kustomization.yaml`;
  }
  if (isDirty(name.tag))
    return `${image}: this image was built from uncommitted changes; commit them and build it again`;
  try {
    const there = await platformsOf(name, await resolveImage(name, signal), signal);
    const missing = platforms.filter((wanted) => !there.some((each) => isFor(wanted, each)));
    if (missing.length === 0) {
      for (const platform of platforms) await proveParts(name, platform, signal);
      return undefined;
    }
    return `${image}: the image is not available for ${missing.join(', ')}, only for ${there.join(', ')}`;
  } catch (error) {
    if (error instanceof RegistryError) return error.message;
    throw error;
  }
}
