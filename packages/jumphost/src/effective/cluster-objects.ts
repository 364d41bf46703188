/** Objects and files by which others act on skolo's pods, or grant access to the cluster. */
import { type Host, linesOf, type Step } from '@skolo/computers';
import { kubectl, machineTaint, parseNodes } from '@skolo/k3s';
import { z } from 'zod';
import { foreignAccess } from './access.ts';
import { k3sFilesInEffect } from './k3s-files.ts';
import {
  type ClusterObject,
  isForeign,
  listOf,
  ownNamespaces,
  readObjects,
  remove,
  titleOf,
} from './objects.ts';
import { podsInEffect } from './pod-trial.ts';

/** In skolo's namespaces. */
const acting = [
  ...['ResourceQuota', 'LimitRange', 'NetworkPolicy'],
  ...['PodDisruptionBudget', 'HorizontalPodAutoscaler'],
];
const kinds = [
  ...acting,
  'PriorityClass',
  ...['Deployment', 'DaemonSet', 'StatefulSet', 'Node'],
  ...['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'],
  ...['ClusterRole', 'Role', 'ClusterRoleBinding', 'RoleBinding'],
];
const readsWithoutAccount = `timeout 20 ${kubectl} --kubeconfig=/dev/null --server=https://127.0.0.1:6443 --insecure-skip-tls-verify get --raw '/api/v1/secrets?limit=1' > /dev/null 2>&1`;

/** Check only, because the objects and files belong to others. */
export function clusterStep(jumphost: string): Step {
  return {
    name: 'cluster',
    about: 'no objects or files of others act on the pods, or grant machines access to the cluster',
    async check(host) {
      const [objects, files, isOpen] = await Promise.all([
        objectsInEffect(host, jumphost),
        host.need(k3sFilesInEffect, { deadlineMs: 120_000 }),
        host.run(readsWithoutAccount),
      ]);
      const open =
        'anybody can read Secrets from the API server without an account; fix kube-apiserver-arg in /etc/rancher/k3s, and restart k3s';
      return { differs: [...objects, ...linesOf(files), ...(isOpen.code === 0 ? [open] : [])] };
    },
  };
}

/** A text for each fault. */
async function objectsInEffect(host: Host, jumphost: string): Promise<string[]> {
  const objects = await readObjects(host, kinds);
  return [
    ...nodesInEffect(objects, jumphost),
    ...objects.filter(isForeign).flatMap((each) => {
      const { kind, metadata } = each;
      if (acting.includes(kind) && ownNamespaces.includes(metadata.namespace))
        return [`${titleOf(each)} acts on skolo's pods; run ${remove(each)}`];
      if (PriorityClass.parse(each).globalDefault)
        return [
          `${titleOf(each)} gives its priority to all pods without a class, so pods of others can displace those of k3s; set globalDefault: false, or run ${remove(each)}`,
        ];
      if (!failsClosed(each)) return [];
      return [
        `${titleOf(each)} prevents pods from starting while its service is down; set failurePolicy: Ignore, limit it to other namespaces with namespaceSelector, or run ${remove(each)}`,
      ];
    }),
    ...foreignAccess(objects),
    ...(await podsInEffect(host, objects)),
  ];
}

function nodesInEffect(objects: readonly ClusterObject[], jumphost: string): string[] {
  const items = objects.filter(({ kind }) => kind === 'Node');
  return parseNodes(JSON.stringify({ items })).flatMap(({ name, complaints, taints }) => {
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

const Webhooks = z.object({
  webhooks: listOf(
    z.object({
      failurePolicy: z.string().default('Fail'),
      namespaceSelector: z.record(z.string(), z.unknown()).default({}),
      objectSelector: z.record(z.string(), z.unknown()).default({}),
      rules: listOf(z.object({ apiGroups: listOf(z.string()) })),
    }),
  ),
});
/** A new cluster has no default class. Those of others cannot reach the priority of skolo's services. */
const PriorityClass = z.object({ globalDefault: z.boolean().default(false) });

/** API groups of objects that every pod and node requires. */
const required = ['', '*', 'apps', 'coordination.k8s.io', 'discovery.k8s.io'];

/** For all namespaces. The trial finds others while they reject pods. */
function failsClosed(object: ClusterObject): boolean {
  return Webhooks.parse(object).webhooks.some(
    ({ failurePolicy, namespaceSelector, objectSelector, rules }) =>
      failurePolicy === 'Fail' &&
      Object.keys({ ...namespaceSelector, ...objectSelector }).length === 0 &&
      rules.some(({ apiGroups }) => apiGroups.some((group) => required.includes(group))),
  );
}
