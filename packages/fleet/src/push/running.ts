/** The versions that a rack runs now. */
import { templateOf } from './objects.ts';
import { getObjects, type Rack } from './rack.ts';

export interface Running {
  /** Of the Deployment or DaemonSet. */
  name: string;
  image: string;
}

export async function readRunning(rack: Rack): Promise<Running[]> {
  const kinds = 'deployments.apps,daemonsets.apps';
  const args = [kinds, '-A', '-l', 'app.kubernetes.io/part-of=skolo'];
  return (await getObjects(rack, args))
    .flatMap((object) =>
      templateOf(object).spec.containers.map(({ image }) => ({
        name: object.metadata.name,
        image,
      })),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
