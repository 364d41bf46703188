import { count } from '@skolo/base';
import { type Finding, verify } from '@skolo/cluster';
import type { SkoloCommand } from '../../../command.ts';
import { exitCodes } from '../../../errors.ts';
import { folded } from '../../../names.ts';
import { printTable } from '../../../output/table.ts';
import { plain, type Style } from '../../../output/text.ts';
import { interruptible } from '../../../reach/racks.ts';
import { openCluster } from './open-cluster.ts';

interface Options {
  pods: boolean;
  image?: string;
}

const styles: Record<Finding['state'], Style | undefined> = {
  ok: 'green',
  warning: 'yellow',
  wrong: 'red',
  'not tried': 'dim',
};

/** `skolo pi kubernetes verify`: checks whether a cluster works. */
export function defineVerify(command: SkoloCommand): void {
  command
    .description(
      'Tests every part of a cluster: the API server, the nodes and their hardware, restarts and crash loops, and, from a pod on each node, DNS, pod-to-pod connections, a service, the ingress and a volume. Each problem is listed with its solution. The test does not require an internet connection, because its image is stored on every node. Test pods run in the skolo-verify namespace, which is deleted at the end. Exit codes: 0 no problems; 1 problems found.',
    )
    .summary('test every part of a cluster')
    .argument('<cluster>', 'cluster name, as listed by skolo racks')
    .option('--no-pods', 'do not start pods or change anything else in the cluster')
    .option('--image <image>', 'busybox image for the pods (default: the one that k3s includes)')
    .uses('clusters')
    .example('skolo pi kubernetes verify pis');

  command.action(async (name: string, { pods, image }: Options) => {
    const { io } = command;
    const findings = await interruptible(command, async (signal) => {
      const what = pods ? 'pi kubernetes verify' : undefined;
      const { server, open } = await openCluster(command, name, { what, signal });
      return await verify({
        server,
        open,
        withPods: pods,
        signal,
        now: io.now,
        ...(image !== undefined && { image }),
        report: (text) => io.err(plain(`${name}: ${text}`)),
      });
    });
    printTable(
      io,
      [
        { title: 'CHECK', cell: ({ check }) => check },
        { title: 'STATE', cell: ({ state }) => state, style: ({ state }) => styles[state] },
        { title: 'WHERE', cell: ({ where }) => (where.length === 0 ? name : folded(where)) },
        { title: 'WHAT', cell: ({ text }) => plain(text), shrinkTo: 20 },
      ],
      findings,
    );
    const wrong = findings.filter(({ state }) => state === 'wrong').length;
    if (wrong === 0) return;
    io.err(`${name}: ${count(wrong, 'check')} failed`);
    io.exitCode = exitCodes.failed;
  });
}
