/** Takes the testbed off a cluster. */
import { count, pause } from '@skolo/base';
import { FleetError } from '../errors.ts';
import { type KubeObject, titleOf } from '../push/objects.ts';
import { deleteObjects, type Rack } from '../push/rack.ts';
import { kinds, readTestbed } from './parts.ts';

/** In the names of all that the part `storage` has beside volumes and class. */
const provisioner = 'nfs-provisioner';

/** What goes only with the volumes. */
const dataKinds = ['persistentvolumeclaims', 'persistentvolumes', 'storageclasses'];

interface DownOptions {
  /** Deletes the registry, the reports and the class of NFS, too. */
  volumes: boolean;
  withinMs: number;
  pollMs: number;
  signal: AbortSignal;
  report(text: string): void;
}

/**
 * Deletes everything with the label of the testbed. Without `volumes`, claims, their volumes and the provisioner that gives them back
 * stay.
 *
 * @returns what stays
 * @throws FleetError Something is still there at the end of the time.
 */
export async function testbedDown(cluster: Rack, options: DownOptions): Promise<KubeObject[]> {
  const { volumes, report } = options;
  const all = await readAll(cluster);
  const isKept = keptBy(all, volumes);
  const going = all.filter((object) => !isKept(object));
  if (going.length > 0) report(`deleting ${count(going.length, 'object')}`);
  // Claims go before the provisioner that gives their folders back, and namespaces last.
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
