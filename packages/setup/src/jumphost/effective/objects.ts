/** Objects in the cluster, and who created them. */

import type { Host } from '@skolo/setup/engine';
import { kubectl } from '@skolo/setup/k3s';
import { z } from 'zod';

export const ownNamespaces = ['skolo', 'skolo-node', 'skolo-access'];

/** Absent and null lists are empty. */
export function listOf<T extends z.ZodType>(item: T) {
  return z
    .array(item)
    .nullish()
    .transform((all) => all ?? []);
}

const ClusterObject = z.looseObject({
  kind: z.string(),
  metadata: z.object({
    name: z.string(),
    namespace: z.string().default(''),
    labels: z.record(z.string(), z.string()).default({}),
    creationTimestamp: z.string().default(''),
    managedFields: listOf(
      z.object({
        manager: z.string().default(''),
        subresource: z.string().exactOptional(),
      }),
    ),
  }),
});
export type ClusterObject = z.output<typeof ClusterObject>;

/** @throws ComputerError */
export async function readObjects(
  host: Pick<Host, 'need'>,
  kinds: readonly string[],
): Promise<ClusterObject[]> {
  const command = `${kubectl} get ${kinds.join(',')} -A -o json --show-managed-fields`;
  return z.object({ items: z.array(ClusterObject) }).parse(JSON.parse(await host.need(command)))
    .items;
}

/** Applied by skolo. Labels may have been copied with a manifest. */
export function isOurs({ metadata }: ClusterObject): boolean {
  return metadata.managedFields.some(({ manager }) => manager === 'skolo');
}

/** Neither from skolo nor from the manifests of k3s. */
export function isForeign(object: ClusterObject): boolean {
  return !isOurs(object) && !('objectset.rio.cattle.io/hash' in object.metadata.labels);
}

/** For people: with the program that created it, and when. */
export function titleOf({ kind, metadata }: ClusterObject): string {
  const { name, namespace, managedFields, creationTimestamp } = metadata;
  const place = namespace === '' ? '' : ` in ${namespace}`;
  const by = managedFields.find(({ subresource }) => subresource === undefined)?.manager;
  return `${kind} ${name}${place} (by ${by || 'an unknown program'}, ${creationTimestamp})`;
}

/** A command. */
export function remove({ kind, metadata: { name, namespace } }: ClusterObject): string {
  const place = namespace === '' ? '' : ` -n ${namespace}`;
  return `${kubectl} delete ${kind.toLowerCase()} ${name}${place}`;
}
