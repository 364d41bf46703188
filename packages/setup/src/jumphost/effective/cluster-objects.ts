/** Finds objects and files by which others act on skolo's pods, or grant access to the cluster. */

import { type Host, linesOf, type Step } from '@skolo/setup/engine';
import { kubectl, machineTaint, parseNodes } from '@skolo/setup/k3s';
import { z } from 'zod';
import { foreignAccess } from './access.ts';
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

const state = '/var/lib/rancher/k3s';

/** Of k3s v1.32 to v1.36. Source: manifests in k3s' repository; it writes them again at each start. */
const manifests = [
  ...['ccm', 'coredns', 'gateway-api-crd', 'local-storage', 'rolebindings', 'runtimes', 'traefik'],
  ...[
    ...['aggregated-metrics-reader', 'auth-delegator', 'auth-reader', 'metrics-apiservice'],
    ...['metrics-server-deployment', 'metrics-server-service', 'resource-reader'],
  ].map((name) => `metrics-server/${name}`),
].map((name) => `${name}.yaml`);

/** It may contain passwords, so no line of it is printed. */
const registriesScript = `file=/etc/rancher/k3s/registries.yaml
settings() { sed 's/#.*//' $file 2>/dev/null; }
settings | grep -nE 'http://|insecure_skip_verify: *true' | grep -vE 'http://(127\\.|localhost)' | cut -d : -f 1 | while read -r line; do
  echo "$file, line $line: any computer in the network can pass itself off as this registry; use https, and verify its certificate"
done
settings | grep -oE 'https?://(\\[[0-9a-fA-F:]+\\]|[0-9A-Za-z.-]+)(:[0-9]+)?' | sort -u | while read -r url; do
  at=\${url#*://}
  case $at in *:[0-9]*) ;; *) case $url in http:*) at=$at:80 ;; *) at=$at:443 ;; esac ;; esac
  timeout 5 openssl s_client -connect "$at" < /dev/null 2>&1 | grep -q CONNECTED || echo "$file: $url does not respond, and k3s requests images from it first; repair it, or remove it from the file"
done`;

/** A CA is replaced on all machines, which takes time. Values of Secrets stay in the shell, which passes them to programs by pipes. */
const script = `soon() { openssl x509 -noout -checkend $(($1 * 86400)) > /dev/null 2>&1 && return 1; true; }
${kubectl} get secrets -A --field-selector type!=helm.sh/release.v1 -o go-template='{{range .items}}{{$at := printf "%s/%s" .metadata.namespace .metadata.name}}{{range $key, $value := .data}}{{$at}} {{$key}} {{$value}}{{"\\n"}}{{end}}{{end}}' 2>/dev/null | while read -r at key value; do
  case $at in skolo/* | skolo-node/* | kube-system/k3s-serving) ;; *) continue ;; esac
  certificate=$(printf %s "$value" | base64 -d 2>/dev/null | openssl x509 2>/dev/null) || continue
  ! echo "$certificate" | soon 30 || echo "the certificate $key in Secret $at expires within 30 days; renew it, and run skolo secrets apply"
done
cd ${state}/server 2>/dev/null || exit 0
leaves= authorities=
for each in tls/*.crt tls/*/*.crt ../agent/*.crt; do
  [ -e "$each" ] || continue
  case $each in
    *-ca.crt) ! soon 90 < "$each" || authorities="$authorities $each" ;;
    *) ! soon 30 < "$each" || leaves="$leaves $each" ;;
  esac
done
[ -z "$leaves" ] || echo "certificates of k3s expire within 30 days, or cannot be read:$leaves (in $PWD); run systemctl restart k3s, which renews them"
[ -z "$authorities" ] || echo "certificate authorities of k3s expire within 90 days, or cannot be read:$authorities (in $PWD); see k3s certificate rotate-ca --help"
started=$(date -d "$(systemctl show --value --property=ExecMainStartTimestamp k3s.service)" +%s 2>/dev/null || echo 0)
find manifests -type f -printf '%P %u %TY-%Tm-%Td %T@\\n' 2>/dev/null | LC_ALL=C sort | while read -r each user day time; do
  case $each in
    ${manifests.join(' | ')}) [ "$started" = 0 ] || [ "\${time%%.*}" -lt $((started + 600)) ] || echo "$PWD/manifests/$each was changed by $user on $day; run systemctl restart k3s, which restores it" ;;
    *) echo "$PWD/manifests/$each ($user, $day) is neither from k3s nor from skolo, and k3s follows it; delete the file, and objects that it created" ;;
  esac
done`;

/** A script that prints a line for each fault. */
const k3sFilesInEffect = `${registriesScript}
${script}`;
