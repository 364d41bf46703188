/** Checks what a cluster is used for: pods of each workload can be created and scheduled, and certificates are valid. */
import { script } from '@skolo/base';
import { fewOf, type Host, linesOf, type Step } from '@skolo/setup/engine';
import { kubectl, machineTaint, parseNodes } from '@skolo/setup/k3s';
import { z } from 'zod';

/** Check only. Objects of others are facts (facts.ts), which the step `changes` compares. */
export function clusterStep(jumphost: string): Step {
  return {
    name: 'cluster',
    about: 'pods of each workload can be created and scheduled, and certificates are valid',
    async check(host) {
      const [nodes, pods, expiring] = await Promise.all([
        host.need(`${kubectl} get nodes -o json`),
        rejectedPods(host),
        host.need(certificates, { deadlineMs: 120_000 }),
      ]);
      return { differs: [...judgeNodes(nodes, jumphost), ...pods, ...linesOf(expiring)] };
    },
  };
}

function judgeNodes(text: string, jumphost: string): string[] {
  return parseNodes(text).flatMap(({ name, complaints, taints }) => {
    if (name !== jumphost) {
      if (taints.includes(machineTaint)) return [];
      return [
        `the node ${name} lacks the taint ${machineTaint}, so its tasks can take over other pods' accounts; run ${kubectl} taint node ${name} ${machineTaint}, and delete other pods there`,
      ];
    }
    // Complaints explain the others.
    const foreign = taints.filter((each) => !each.startsWith('node.kubernetes.io/'));
    return [
      ...complaints,
      ...foreign.map((each) => `taint ${each}; run ${kubectl} taint node ${name} ${each}-`),
    ].map((why) => `no pod can start on the node ${name}: ${why}`);
  });
}

const Fields = z.record(z.string(), z.unknown());
const Workloads = z.object({
  items: z.array(
    z.object({
      kind: z.string(),
      metadata: z.looseObject({ name: z.string(), namespace: z.string() }),
      spec: z.object({ template: z.object({ metadata: Fields, spec: Fields }) }),
    }),
  ),
});
type Workload = z.output<typeof Workloads>['items'][number];

/** A webhook may take 30 s for each. */
const withinSeconds = 90;

/**
 * Creates a pod of each workload of skolo as a controller would, in a dry run, so that the API server asks everything that can reject it.
 *
 * @returns a text for each reason why pods are rejected
 */
async function rejectedPods(host: Host): Promise<string[]> {
  const listed = await host.need(
    `${kubectl} get deployments,daemonsets,statefulsets -A -l app.kubernetes.io/part-of=skolo -o json`,
  );
  const items = Workloads.parse(JSON.parse(listed)).items.map(podOf);
  if (items.length === 0) return [];
  const created = '{{.metadata.namespace}}/{{.metadata.generateName}}{{"\\n"}}';
  const account = 'system:serviceaccount:kube-system:replicaset-controller';
  const command = `${kubectl} create --dry-run=server --validate=false -o go-template='${created}' --as=${account} -f -`;
  const { code, stdout, stderr } = await host.run(`timeout ${withinSeconds} ${command}`, {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    deadlineMs: (withinSeconds + 10) * 1000,
  });
  const accepted = new Set(stdout.split('\n'));
  // One after another, without those that were accepted.
  const errors = stderr.split(/^(?=Error from server)/m).filter((text) => text.startsWith('Error'));
  const found = new Map<string, string[]>();
  for (const { metadata } of items) {
    const title = `${metadata.namespace}/${metadata.generateName}`;
    if (accepted.has(title)) continue;
    const isLate = code === 124 && errors.length === 0;
    const why = isLate ? `no response within ${withinSeconds} s` : (errors.shift() ?? stderr);
    const [, reason = why] =
      /: error when creating "STDIN": (?:pods "[^"]*" is forbidden: )?(.*)/s.exec(why) ?? [];
    const text = `cannot be created: ${reason.trim().replaceAll('\n', ' ')}`;
    found.set(text, [...(found.get(text) ?? []), title.replace(/-$/, '')]);
  }
  return [...found].map(([why, names]) => `${fewOf(names)} ${why}`);
}

function podOf({ metadata: { name, namespace }, spec: { template } }: Workload) {
  const metadata = { ...template.metadata, generateName: `${name}-`, namespace };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: template.spec };
}

/** Which certificates expire soon. */
const certificates = script(new URL('./check-certificates.sh', import.meta.url));
