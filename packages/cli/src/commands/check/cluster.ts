import { verify } from '@skolo/setup/cluster';
import type { SkoloCommand } from '../../command.ts';
import { plain } from '../../output/text.ts';
import { openCluster } from '../pi/kubernetes/open-cluster.ts';
import { defineCheck } from './check.ts';

interface Options {
  pods: boolean;
  image?: string;
}

/** `skolo check cluster`: whether a cluster works. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Tests every part of a cluster: the API server, the nodes and their hardware, restarts and crash loops, and, from a pod on each node, DNS, pod-to-pod connections, a service, the ingress and a volume. The test does not require an internet connection, because its image is stored on every node. Test pods run in the skolo-verify namespace, which is deleted at the end.',
    )
    .summary('test every part of a cluster')
    .argument('<cluster>', 'cluster name, as listed by skolo racks')
    .option('--no-pods', 'do not start pods or change anything else in the cluster')
    .option('--image <image>', 'busybox image for the pods (default: the one that k3s includes)')
    .uses('clusters')
    .example('skolo check cluster pis');

  defineCheck(command, async (signal, name: string, { pods: withPods, image }: Options) => {
    const { io } = command;
    const what = withPods ? 'check cluster' : undefined;
    const { server, open } = await openCluster(command, name, { what, signal });
    const report = (text: string) => io.err(plain(`${name}: ${text}`));
    const given = { server, open, withPods, signal, now: io.now, report };
    return { name, findings: await verify({ ...given, ...(image !== undefined && { image }) }) };
  });
}
