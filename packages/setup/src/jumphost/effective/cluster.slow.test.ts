/** Objects that others have created, on a real API server with rack4's overlay: each is named, or pods are tried and rejected. */

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Host, linesOf, openHost } from '@skolo/setup/engine';
import { accountsStep } from '@skolo/setup/k3s';
import { accounts } from '@skolo/setup/k3s/testing';
import { type ControlPlane, lacks, peer, startControlPlane } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { clusterStep } from './cluster.ts';
import { objectsScript } from './facts.ts';

const run = promisify(execFile);
const overlay = fileURLToPath(new URL('../../../../../kube/racks/rack4', import.meta.url));
const jumphost = 'jumphost-rack4';

const admission = 'apiVersion: admissionregistration.k8s.io/v1';
const gone = 'clientConfig: { service: { name: gone, namespace: default } }';
const pods = 'apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]';

function webhook(kind: string, rest: string, rules = pods): string {
  return `${admission}
kind: ${kind}WebhookConfiguration
metadata: { name: gatekeeper }
webhooks: [{ name: v.example.com, admissionReviewVersions: [v1], sideEffects: None, ${gone}, rules: [{ ${rules} }], ${rest} }]`;
}

function policy(kind: 'Validating' | 'Mutating', rules: string, rest: string): string {
  const binding = kind === 'Validating' ? ', validationActions: [Deny]' : '';
  return `${admission}
kind: ${kind}AdmissionPolicy
metadata: { name: corporate }
spec: { matchConstraints: { resourceRules: [{ ${rules} }] }, ${rest} }
---
${admission}
kind: ${kind}AdmissionPolicyBinding
metadata: { name: corporate }
spec: { policyName: corporate${binding} }`;
}

function binding(role: string, subject: string, namespace?: string): string {
  const kind = namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding';
  const place = namespace === undefined ? '' : `, namespace: ${namespace}`;
  return `apiVersion: rbac.authorization.k8s.io/v1
kind: ${kind}
metadata: { name: "others:${role}"${place} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ${role} }
subjects: [{ ${subject} }]`;
}

interface Foreign {
  what: string;
  /** A manifest, or a command of kubectl. */
  change: string;
  undo?: string;
  found: RegExp;
  /** It hides what others do. */
  isAlone?: true;
}

const foreign: Foreign[] = [
  {
    what: 'a cordon',
    change: `cordon ${jumphost}`,
    undo: `uncordon ${jumphost}`,
    found: /node jumphost-rack4: cordoned; run kubectl uncordon/,
  },
  {
    what: 'a taint on the jumphost',
    change: `taint node ${jumphost} maintenance=true:NoExecute`,
    undo: `taint node ${jumphost} maintenance=true:NoExecute-`,
    found:
      /taint maintenance=true:NoExecute; run k3s kubectl taint node jumphost-rack4 maintenance=true:NoExecute-$/m,
  },
  {
    what: 'a machine that tasks could use for pods of others',
    change: 'taint node rpi-1 skolo/machine-',
    undo: 'taint node rpi-1 skolo/machine=true:NoSchedule',
    found: /^the node rpi-1 lacks the taint skolo\/machine=true:NoSchedule/m,
  },
  {
    what: 'a quota',
    change: 'create quota few -n skolo --hard=pods=1',
    found: /^object ResourceQuota few in skolo, by kubectl-create at 2/m,
  },
  {
    what: 'limits',
    isAlone: true,
    change:
      'apiVersion: v1\nkind: LimitRange\nmetadata: { name: small, namespace: skolo-node }\nspec: { limits: [{ type: Container, max: { memory: 16Mi } }] }',
    found:
      /^skolo-node\/metadata-server cannot be created: maximum memory usage per Container is 16Mi/m,
  },
  {
    what: 'a policy that opens a namespace',
    change:
      'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: open, namespace: skolo }\nspec: { podSelector: {}, policyTypes: [Ingress], ingress: [{}] }',
    found: /^object NetworkPolicy open in skolo, by kubectl-client-side-apply at/m,
  },
  {
    what: 'a priority for all pods without a class',
    change: 'create priorityclass top --value=2000000 --global-default=true',
    undo: 'delete priorityclass top',
    found: /^object PriorityClass top, by kubectl-create at/m,
  },
  {
    what: 'a webhook that is down',
    isAlone: true,
    change: webhook('Validating', 'failurePolicy: Fail'),
    found: /failed calling webhook "v.example.com"/,
  },
  {
    what: 'a webhook for one namespace that is down',
    isAlone: true,
    change: webhook(
      'Mutating',
      'failurePolicy: Fail, namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: skolo } }',
    ),
    found: /^skolo\/alert-to-pubsub.* cannot be created: .*webhook "v.example.com"/m,
  },
  {
    what: 'a webhook that may stop leases',
    change: webhook(
      'Validating',
      'failurePolicy: Fail',
      'apiGroups: [coordination.k8s.io], apiVersions: [v1], operations: [UPDATE], resources: [leases]',
    ),
    found: /^object ValidatingWebhookConfiguration gatekeeper, by/m,
  },
  {
    what: 'a policy that rejects pods',
    isAlone: true,
    change: policy('Validating', pods, 'validations: [{ expression: "false" }]'),
    found:
      /^skolo-node\/metadata-server, .* cannot be created: ValidatingAdmissionPolicy 'corporate' with binding 'corporate' denied/m,
  },
  {
    what: 'a policy that rejects leases',
    isAlone: true,
    change: policy(
      'Validating',
      pods.replace('""', 'coordination.k8s.io').replace('pods', 'leases'),
      'validations: [{ expression: "false" }]',
    ),
    found: /^object ValidatingAdmissionPolicyBinding corporate, by/m,
  },
  {
    what: 'a policy that changes pods',
    change: policy(
      'Mutating',
      pods,
      `reinvocationPolicy: Never, mutations: [{ patchType: ApplyConfiguration, applyConfiguration: { expression: 'Object{metadata: Object.metadata{labels: Object.metadata.labels{owner: "bob"}}}' } }]`,
    ),
    found: /^object MutatingAdmissionPolicyBinding corporate, by/m,
  },
  {
    what: 'everything for anonymous callers',
    change: binding('cluster-admin', 'kind: User, name: system:anonymous'),
    found: /^object ClusterRoleBinding others:cluster-admin, by/m,
  },
  {
    what: 'Secrets for all accounts, in one namespace',
    change: binding(
      'system:controller:ttl-after-finished-controller',
      'kind: Group, name: system:serviceaccounts',
      'kube-system',
    ),
    found: /^object RoleBinding \S+ in kube-system, by/m,
  },
  {
    what: 'a role for all kubelets',
    change: binding('edit', 'kind: Group, name: system:nodes', 'skolo'),
    found: /^object RoleBinding others:edit in skolo, by/m,
  },
  {
    what: 'a role for the kubelet of one machine',
    change: binding('view', 'kind: User, name: "system:node:rpi-1"'),
    found: /^object ClusterRoleBinding others:view, by/m,
  },
  {
    what: 'more for an account of ours',
    change: binding(
      'admin',
      'kind: ServiceAccount, name: skolo-view, namespace: skolo-access',
      'default',
    ),
    found: /^object RoleBinding others:admin in default, by/m,
  },
  {
    what: 'a default role with more rules',
    change: `patch clusterrole system:discovery --type=json -p [{"op":"add","path":"/rules/-","value":{"apiGroups":[""],"resources":["secrets"],"verbs":["list"]}}]`,
    undo: `patch clusterrole system:discovery --type=json -p [{"op":"remove","path":"/rules/1"}]`,
    found: /^object ClusterRole system:discovery, by kubectl-patch at/m,
  },
];

describe.skipIf(lacks('control-plane', 'kubectl'))('a cluster', () => {
  let cluster: ControlPlane;
  let folder: string;
  let host: Host;
  beforeAll(async () => {
    const kubectl = peer('kubectl') ?? '';
    const taints = [{ key: 'skolo/machine', value: 'true', effect: 'NoSchedule' }];
    const nodes = [{ name: jumphost }, { name: 'rpi-1', taints }];
    cluster = await startControlPlane(peer('control-plane') ?? '', kubectl, { nodes });
    folder = await mkdtemp(join(tmpdir(), 'skolo-cluster-objects-'));
    const program = `#!/bin/sh\nshift\nexec '${kubectl}' --kubeconfig '${cluster.kubeconfig}' "$@"\n`;
    await writeFile(join(folder, 'k3s'), program, { mode: 0o755 });
    const env = { PATH: `${folder}:${process.env.PATH}`, HOME: folder };
    const start = async (command: string) => spawn('sh', ['-c', command], { env });
    host = await openHost({ name: jumphost, start, signal: new AbortController().signal });
    const { stdout } = await run(kubectl, ['kustomize', overlay], { maxBuffer: 2 ** 24 });
    // The API server has no types of k3s.
    const objects = stdout
      .split(/^---\n/m)
      .filter((each) => !/^apiVersion: (helm|traefik)/m.test(each));
    await accountsStep(accounts).apply?.(host);
    const apply = 'k3s kubectl apply --server-side --field-manager=skolo --validate=false -f -';
    await host.need(apply, { input: objects.join('---\n') });
  });
  afterAll(async () => {
    await cluster?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Makes changes, or undoes them. */
  async function change(all: readonly string[], undo = false): Promise<void> {
    const [manifests, commands] = partition(all, (each) => each.startsWith('apiVersion'));
    const input = manifests.join('\n---\n');
    const lines = commands.map((text) => {
      const quoted = text.replace(/ -p (.*)/, " -p '$1'");
      const created = /^create (\S+ \S+ -n \S+)/.exec(quoted)?.[1];
      return `k3s kubectl ${undo && created ? `delete ${created}` : quoted}`;
    });
    if (input !== '') lines.push(`k3s kubectl ${undo ? 'delete' : 'apply'} -f -`);
    await host.need(lines.join(' &&\n'), { input });
  }
  let before: string[] = [];
  beforeAll(async () => {
    before = await objects();
  });
  const objects = async () => linesOf((await host.run(objectsScript)).stdout);
  const found = async () => {
    const { differs } = await clusterStep(jumphost).check(host);
    const added = (await objects()).filter((line) => !before.includes(line));
    return [...differs, ...added];
  };

  // Each check starts kubectl five times, and the API server uses a policy some seconds after it is written or deleted.
  const seldom = { interval: 500 };
  const [alone, together] = partition(foreign, ({ isAlone }) => isAlone === true);
  it.each(
    [together, ...alone.map((rule) => [rule])].map((each) => ({
      what: each.map(({ what }) => what).join(', '),
      all: each,
    })),
  )('has $what', async ({ all }) => {
    await change(all.map((each) => each.change));
    await vi.waitFor(async () => {
      const text = (await found()).join('\n');
      for (const each of all) expect(text, each.what).toMatch(each.found);
    }, seldom);
    await change(
      all.map(({ change: made, undo = made }) => undo),
      true,
    );
  });

  it('names none of its own objects and those of Kubernetes, and nothing is left', async () => {
    expect(before).toEqual(['cluster']);
    // Kubernetes still names the program that has written the rules of this role.
    const left = async () => (await found()).filter((line) => !line.includes('system:discovery'));
    await vi.waitFor(async () => expect(await left()).toEqual([]), seldom);
  });

  it('undoes changes to its accounts', async () => {
    const step = accountsStep(accounts);
    const edits = [
      `patch clusterrole skolo-view --type=json -p [{"op":"add","path":"/rules/-","value":{"apiGroups":[""],"resources":["secrets"],"verbs":["get"]}}]`,
      `patch clusterrolebinding skolo-view --type=json -p [{"op":"add","path":"/subjects/-","value":{"kind":"Group","apiGroup":"rbac.authorization.k8s.io","name":"system:authenticated"}}]`,
      'label ns skolo --overwrite pod-security.kubernetes.io/enforce=privileged',
      'patch serviceaccount skolo-view -n skolo-access -p {"automountServiceAccountToken":true}',
    ];
    await change(edits);

    expect((await step.check(host)).differs.toSorted()).toEqual([
      'ClusterRole skolo-view was changed',
      'ClusterRoleBinding skolo-view was changed',
      'Namespace skolo was changed',
      'ServiceAccount skolo-view in skolo-access was changed',
    ]);
    await step.apply?.(host);
    expect((await step.check(host)).differs).toEqual([]);
    await change(['delete rolebinding skolo-view -n skolo']);
    expect((await step.check(host)).differs).toEqual([
      'rolebindings.rbac.authorization.k8s.io "skolo-view" not found',
    ]);
    await step.apply?.(host);
    expect((await step.check(host)).differs).toEqual([]);
  });
});

function partition<T>(all: readonly T[], isFirst: (each: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((each) => !isFirst(each))];
}
