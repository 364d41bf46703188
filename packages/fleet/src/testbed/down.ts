/** Removes the testbed from a cluster. */
import { count, pause } from '@skolo/base';
import { FleetError } from '../errors.ts';
import { type KubeObject, titleOf } from '../push/objects.ts';
import { deleteObjects, type Rack } from '../push/rack.ts';
import { kinds, readTestbed } from './parts.ts';
import type { UpOptions } from './up.ts';

/** In the names of all objects of the part `storage`, except volumes and the class. */
const provisioner = 'nfs-provisioner';

/** Objects that are deleted only together with the volumes. */
const dataKinds = ['persistentvolumeclaims', 'persistentvolumes', 'storageclasses'];

interface DownOptions extends Pick<UpOptions, 'withinMs' | 'pollMs' | 'signal' | 'report'> {
  /** Also deletes the registry, the reports and the NFS class. */
  volumes: boolean;
}

/**
 * Deletes everything with the testbed's label. Without `volumes`, claims, their volumes and the provisioner that releases them
 * stay.
 *
 * @returns what stays
 * @throws FleetError Some objects still exist after the time limit.
 */
export async function testbedDown(cluster: Rack, options: DownOptions): Promise<KubeObject[]> {
  const { volumes, report } = options;
  const all = await readAll(cluster);
  const isKept = keptBy(all, volumes);
  const going = all.filter((object) => !isKept(object));
  if (going.length > 0) report(`deleting ${count(going.length, 'object')}`);
  // Claims are deleted before the provisioner that releases their directories, and namespaces last.
  const stageOf = ({ kind, metadata }: KubeObject) => {
    if (kind === 'Namespace') return 3;
    if (/^(PersistentVolume|StorageClass)$/.test(kind)) return 2;
    if (metadata.name.includes(provisioner)) return 2;
    return kind === 'PersistentVolumeClaim' ? 1 : 0;
  };
  for (const stage of [0, 1, 2, 3]) {
    await deleteAndWait(
      cluster,
      going.filter((object) => stageOf(object) === stage),
      options,
    );
  }
  return (await readAll(cluster)).filter(isKept);
}

function keptBy(all: readonly KubeObject[], volumes: boolean): (object: KubeObject) => boolean {
  if (volumes) return () => false;
  const claims = all.filter(({ kind }) => kind === 'PersistentVolumeClaim');
  const namespaces = new Set(claims.map(({ metadata }) => metadata.namespace));
  const hasNfs = all.some(({ kind }) => kind === 'StorageClass');
  return ({ kind, metadata }) => {
    if (kind === 'Namespace') return namespaces.has(metadata.name);
    if (['PersistentVolumeClaim', 'PersistentVolume', 'StorageClass'].includes(kind)) return true;
    return hasNfs && metadata.name.includes(provisioner);
  };
}

async function deleteAndWait(
  cluster: Rack,
  objects: readonly KubeObject[],
  { withinMs, pollMs, signal }: DownOptions,
): Promise<void> {
  if (objects.length === 0) return;
  const start = performance.now();
  await deleteObjects(cluster, objects);
  const names = new Set(objects.map(titleOf));
  for (;;) {
    const left = (await readAll(cluster)).map(titleOf).filter((name) => names.has(name));
    if (left.length === 0) return;
    if (performance.now() - start > withinMs) {
      throw new FleetError(
        `not deleted after ${withinMs / 1000} s: ${left.join(', ')}; run skolo pi testbed down again`,
      );
    }
    await pause(pollMs, signal);
  }
}

function readAll(cluster: Rack): Promise<KubeObject[]> {
  return readTestbed(cluster, [...kinds, ...dataKinds, 'namespaces']);
}
