/** What `kube/apply` may delete, read from the script itself. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubeFolder } from './kustomize.ts';
import type { Manifest } from './manifest.ts';

/** Never deleted: they hold data, or everything else. */
const kept = ['v1/Namespace', 'v1/PersistentVolume', 'v1/PersistentVolumeClaim'];

/** The script that applies an overlay and deletes what the overlay no longer has. */
export const applyScript = join(kubeFolder, 'apply');

const partOf = 'app.kubernetes.io/part-of';

/** Objects that a component could leave behind: without the label, or of a kind that the script does not delete. */
export function pruneProblems(objects: readonly Manifest[]): string[] {
  const deleted = deletedKinds();
  return objects.flatMap(({ apiVersion, kind, metadata }) => {
    const title = `${kind} ${metadata.name}`;
    return [
      ...(metadata.labels?.[partOf] === 'skolo' ? [] : [`${title}: no label ${partOf}=skolo`]),
      ...([...deleted, ...kept].includes(`${apiVersion}/${kind}`)
        ? []
        : [`${title}: kube/apply does not know ${apiVersion}/${kind}`]),
    ];
  });
}

/** As manifests write them: `v1/Service`, `apps/v1/Deployment`. */
export function deletedKinds(): string[] {
  const [, list = ''] = /\nkinds=\(\n(.*?)\n\)\n/s.exec(readFileSync(applyScript, 'utf8')) ?? [];
  return list.split('\n').map((line) => line.trim().replace(/^core\//, ''));
}
