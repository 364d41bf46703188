/** kube/testbed, against the schemas of the API and the policies of racks that do not depend on a rack. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { build, kubeFolder, noKubectl, usableKubectl } from '../kustomize.ts';
import { containersOf, type Manifest, readKind, readManifests, workloadsOf } from '../manifest.ts';
import type { Exception } from '../policies/exceptions.ts';
import { imageProblems } from '../policies/images.ts';
import { type Flow, isOpen } from '../policies/network.ts';
import { podSecurityProblems } from '../policies/pod-security.ts';
import { nodePortProblems } from '../policies/ports.ts';
import { privilegeProblems } from '../policies/privileges.ts';
import { probeProblems } from '../policies/probes.ts';
import { accountProblems, rbacProblems } from '../policies/rbac.ts';
import { referenceProblems, serviceNameProblems } from '../policies/references.ts';
import { emptyDirProblems, resourceProblems } from '../policies/resources.ts';
import { secretProblems, variableProblems } from '../policies/secrets.ts';
import { policySelectorProblems, selectorProblems } from '../policies/selectors.ts';
import { schemaProblems } from '../schema.ts';

const folder = join(kubeFolder, 'testbed');
const kubectl = usableKubectl();
const hasToken = 'has a token of the API server';
const rootless = 'BuildKit without root makes namespaces, and maps users by a program of root';

const allowed: readonly Exception[] = [
  { workload: 'node-exporter', what: 'hostNetwork', why: 'the network that it reports' },
  { workload: 'node-exporter', what: 'hostPath /', why: 'file systems that it reports, read only' },
  { workload: 'pipeline', what: 'privilege escalation', why: rootless },
  { workload: 'pipeline', what: 'writable root file system', why: rootless },
  { workload: 'pipeline', what: 'capabilities not dropped', why: rootless },
  { workload: 'pipeline', what: 'no seccomp profile', why: rootless },
  { workload: 'pipeline', what: hasToken, why: 'it deploys the demo; its role has nothing else' },
  { workload: 'prometheus', what: hasToken, why: 'it finds nodes and pods' },
  { workload: 'metrics-server', what: hasToken, why: 'it asks kubelets' },
  { workload: 'nfs-provisioner', what: hasToken, why: 'it makes volumes' },
  { workload: 'jenkins', what: hasToken, why: 'it starts runs of the pipeline' },
  { workload: 'dashboard', what: hasToken, why: 'it finds the API server by it; it has no rights' },
];

/** What the policies of racks find, and why it is so here. */
const deviations: Readonly<Record<string, string>> = {
  'ConfigMap testbed-build/demo-deployment: /data/deployment.yaml: a value where a secret is meant to be':
    'automountServiceAccountToken: false',
  'Role testbed-demo/pipeline: a rule for deployments': 'in testbed-demo, where nothing else is',
  'ConfigMap testbed/jenkins-job: /data/run-pipeline.sh: a value where a secret is meant to be':
    'it names the file of the token',
  'ConfigMap testbed/jenkins-job: no Service kubernetes.default.svc': 'the API server itself',
  'Role testbed-build/jenkins: a rule for jobs': 'it starts runs of the pipeline',
  'Deployment testbed/jenkins: the Secret jenkins is not a declared one (test/kube, references.ts)':
    'skolo pi testbed up makes it, and Jenkins does not start without it',
  'Deployment testbed/grafana: the Secret grafana is not a declared one (test/kube, references.ts)':
    'skolo pi testbed up makes it, and Grafana does not start without it',
};

// Half a second of kubectl for each part.
const parts = kubectl
  ? readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'demo')
      .map(({ name }) => ({ name, objects: build(kubectl, join(folder, name)) }))
  : [];
const objects: Manifest[] = [
  ...parts.flatMap((part) => part.objects),
  ...readManifests(readFileSync(join(folder, 'demo/deployment.yaml'), 'utf8')),
];

describe.skipIf(noKubectl)('the testbed', () => {
  it('fits the API, and keeps to the policies', () => {
    // The pipeline writes its image into it.
    const isPlaceholder = (problem: string) => problem.includes(' demo:built ');

    const found = [
      ...objects.flatMap(schemaProblems),
      ...imageProblems(objects).filter((problem) => !isPlaceholder(problem)),
      ...resourceProblems(objects, []),
      ...emptyDirProblems(objects),
      ...probeProblems(objects),
      ...podSecurityProblems(objects),
      ...privilegeProblems(objects, { bots: [] }, allowed),
      ...selectorProblems(objects),
      ...policySelectorProblems(objects),
      ...referenceProblems(objects),
      ...serviceNameProblems(objects),
      ...nodePortProblems(objects),
      ...secretProblems(objects),
      ...variableProblems(objects),
      ...rbacProblems(objects),
      ...accountProblems(objects, allowed),
    ];

    // A generated name ends with a digest of the content.
    const named = found.map((problem) => problem.replace(/-[a-z0-9]{10}(?=:)/, ''));
    expect(named.sort()).toEqual(Object.keys(deviations).sort());
  });

  it('needs each exception', () => {
    const found = [
      ...privilegeProblems(objects, { bots: [] }, []),
      ...accountProblems(objects, []),
    ];

    expect(
      allowed.filter(
        ({ workload, what }) => !found.some((problem) => problem.endsWith(`/${workload}: ${what}`)),
      ),
    ).toEqual([]);
  });

  it('pins every image by digest', () => {
    const images = workloadsOf(objects)
      .flatMap(containersOf)
      .map(({ image = '' }) => image);

    expect(images.filter((image) => !/@sha256:[0-9a-f]{64}$/.test(image))).toEqual(['demo:built']);
  });

  it('labels every object, so that down finds it', () => {
    const label = 'app.kubernetes.io/part-of';
    const without = objects.filter(({ metadata }) => metadata.labels?.[label] !== 'skolo-testbed');

    expect(without.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([]);
  });

  it('opens only node ports that change nothing without a password', () => {
    const Ports = z.looseObject({
      spec: z.looseObject({
        type: z.string().default('ClusterIP'),
        ports: z.array(z.looseObject({ nodePort: z.number().optional() })),
      }),
    });

    const found = readKind(objects, 'Service', Ports)
      .filter(({ read }) => read.spec.type !== 'ClusterIP')
      .map(({ name, read }) => [name, ...read.spec.ports.map(({ nodePort }) => nodePort)]);

    expect(found.sort()).toEqual([
      ['grafana', 31000],
      ['registry-read', 30022],
      ['results', 30021],
    ]);
  });

  it.for<Flow & { open: boolean }>([
    { from: 'grafana', to: 'prometheus', port: 9090, open: true },
    { from: 'pipeline', to: 'registry', port: 5000, open: true },
    { from: 'pipeline', to: 'demo', port: 8080, open: true },
    { from: 'prometheus', to: 'demo', port: 8080, open: true },
    { from: 'demo', to: 'registry', port: 5000, open: false },
    { from: 'demo', to: 'prometheus', port: 9090, open: false },
    { from: 'grafana', to: 'registry', port: 5000, open: false },
    { from: 'pipeline', to: 'prometheus', port: 9090, open: false },
    { from: 'dashboard', to: 'prometheus', port: 9090, open: false },
    { from: 'grafana', to: 'dashboard', port: 4466, open: false },
  ])('the way from $from to $to:$port is open: $open', ({ open, ...flow }) => {
    expect(isOpen(objects, flow)).toBe(open);
  });
});
