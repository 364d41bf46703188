/** Verifies a cluster: each part is tried, and each failure says what to do. */

import { count, errorText, type Finding, inParallel, withoutName } from '@skolo/base';
import type { Host } from '@skolo/setup/engine';
import type { ClusterNode } from '@skolo/setup/k3s';
import { placeOf } from '../distribution.ts';
import { kubectlOn } from '../kubectl.ts';
import { nodesOf } from '../nodes.ts';
import { finding } from './finding.ts';
import { judgeFacts, judgeNodes } from './judge-nodes.ts';
import { factsOf, type NodeFacts } from './node-facts.ts';
import { probes } from './probes.ts';
import { systemPods } from './system-pods.ts';

interface VerifyDeps {
  server: Host;
  /** As root. @throws The computer cannot be reached. */
  open(node: Pick<ClusterNode, 'name' | 'address'>): Promise<Host>;
  /** Creates pods for a minute. */
  withPods: boolean;
  image?: string;
  /** Time for pods to become ready, in milliseconds; default 3 min. */
  readyMs?: number;
  now(): number;
  report(text: string): void;
  signal: AbortSignal;
}

/** @throws Only the signal's reason. */
export async function verify(deps: VerifyDeps): Promise<Finding[]> {
  const { server, open, now, report, signal, withPods, image, readyMs = 180_000 } = deps;
  const kubectl = kubectlOn(server);
  report('querying the API server');
  const ready = await kubectl.try(['get', '--raw', '/readyz']).catch((error: unknown) => {
    signal.throwIfAborted();
    return { code: 1, stdout: '', stderr: errorText(error) };
  });
  if (ready.code !== 0) {
    const why = ready.stderr.split('\n').at(-1) || ready.stdout;
    const own = await factsOf(server, now).catch(() => undefined);
    const place = await placeOf(server).catch(() => undefined);
    const unit = place?.distribution === 'kubeadm' ? 'kubelet' : 'k3s';
    const advice = `run journalctl -u ${unit} on this node to see why`;
    return [
      finding('API server', 'differs', `not ready: ${why}`, { where: [server.name], advice }),
      ...(own === undefined ? [] : judgeFacts([own])),
    ];
  }
  const nodes = await nodesOf(kubectl);
  report(`querying ${count(nodes.length, 'node')} over SSH`);
  const unreached: Finding[] = [];
  const facts: NodeFacts[] = [];
  await inParallel(nodes, 8, async (node) => {
    try {
      facts.push(await factsOf(await open(node), now, node.name));
    } catch (error) {
      signal.throwIfAborted();
      const where = [node.name];
      unreached.push(
        finding('ssh', 'unchecked', withoutName(errorText(error), node.name), { where }),
      );
    }
  });
  facts.sort((a, b) => a.name.localeCompare(b.name));
  return [
    finding('API server', 'ok', 'ready'),
    ...judgeNodes(nodes, facts),
    ...unreached,
    ...judgeFacts(facts),
    ...(await systemPods(kubectl)),
    ...(withPods
      ? await probes({
          kubectl,
          readyMs,
          report,
          signal,
          nodes: nodes.filter(({ isReady }) => isReady),
          ...(image !== undefined && { image }),
        })
      : []),
  ];
}
