/** What `skolo push` deletes once it has left an overlay. */
import { deletableKinds } from '@skolo/fleet/push';
import type { Manifest } from './manifest.ts';

/** Never deleted: they hold data, or everything else. */
const kept = ['v1/Namespace', 'v1/PersistentVolume', 'v1/PersistentVolumeClaim'];

const partOf = 'app.kubernetes.io/part-of';

/** Objects that a component could leave behind: without the label, or of a kind that a push does not delete. */
export function pruneProblems(objects: readonly Manifest[]): string[] {
  return objects.flatMap(({ apiVersion, kind, metadata }) => {
    const title = `${kind} ${metadata.name}`;
    return [
      ...(metadata.labels?.[partOf] === 'skolo' ? [] : [`${title}: no label ${partOf}=skolo`]),
      ...([...deletableKinds, ...kept].includes(`${apiVersion}/${kind}`)
        ? []
        : [`${title}: skolo push does not know ${apiVersion}/${kind}`]),
    ];
  });
}
