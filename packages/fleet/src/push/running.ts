/** What a rack runs now. */
import { z } from 'zod';
import type { Kubectl } from '../kubectl.ts';
import { readAnswer } from './objects.ts';

const Workload = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        containers: z.array(z.looseObject({ image: z.string().default('') })),
      }),
    }),
  }),
});

export interface Running {
  /** Of the Deployment or DaemonSet. */
  name: string;
  image: string;
}

/** Images of our workloads, by name. */
export async function readRunning(kubectl: Kubectl, signal: AbortSignal): Promise<Running[]> {
  const kinds = 'deployments.apps,daemonsets.apps';
  const args = ['get', kinds, '-A', '-l', 'app.kubernetes.io/part-of=skolo', '-o', 'json'];
  return readAnswer(await kubectl(args, { signal }))
    .map((object) => Workload.parse(object))
    .flatMap(({ metadata: { name }, spec }) =>
      spec.template.spec.containers.map(({ image }) => ({ name, image })),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
