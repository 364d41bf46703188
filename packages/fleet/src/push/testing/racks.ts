/** A small repository of racks, for tests: a service on the jumphost, an agent on each machine, and what they need. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Request } from '../record.ts';

/** A build of a clean tree. The last word of a tag says what its containers do (test/control-plane). */
export function tagOf(word: string): string {
  return `2026-11-20T22_40_05Z-ann-295cca0-${word}`;
}

const partOf = 'app.kubernetes.io/part-of: skolo';

const workload = (kind: string, name: string, spec: string, pod: string) => `
apiVersion: apps/v1
kind: ${kind}
metadata: { name: ${name}, namespace: skolo, labels: { ${partOf} } }
spec:
  ${spec}
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      terminationGracePeriodSeconds: 3
      ${pod}
      containers:
        - name: ${name}
          image: skolo/${name}:unset
          envFrom: [{ configMapRef: { name: settings, optional: true } }]
          readinessProbe: { httpGet: { path: /readyz, port: 80 } }
`;

const base: Readonly<Record<string, string>> = {
  'base/kustomization.yaml': `
resources: [namespace.yaml, service.yaml, agent.yaml, account.yaml]
`,
  'base/namespace.yaml': `
apiVersion: v1
kind: Namespace
metadata: { name: skolo, labels: { ${partOf} } }
`,
  'base/account.yaml': `
apiVersion: v1
kind: ServiceAccount
metadata: { name: agent, namespace: skolo, labels: { ${partOf} } }
`,
  'base/service.yaml': workload(
    'Deployment',
    'service',
    'replicas: 1\n  strategy: { type: Recreate }',
    'nodeSelector: { jumphost: "true" }',
  ),
  'base/agent.yaml': workload(
    'DaemonSet',
    'agent',
    'updateStrategy: { type: RollingUpdate, rollingUpdate: { maxUnavailable: 25% } }',
    `affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms: [{ matchExpressions: [{ key: jumphost, operator: DoesNotExist }] }]
      tolerations: [{ operator: Exists }]`,
  ),
};

function overlay(registry: string): string {
  return `# All of the rack.
resources: [../../base]
labels: [{ pairs: { ${partOf} } }]
configMapGenerator:
  - name: settings
    namespace: skolo
    literals: [LEVEL=info]
images:
  # Its comment stays.
  - name: skolo/service
    newName: ${registry}/skolo/service
    newTag: ${tagOf('clean')}
  - name: skolo/agent
    newName: ${registry}/skolo/agent
    newTag: ${tagOf('clean')}
`;
}

/** @param registry `127.0.0.1:PORT` */
export async function createRackRepository(registry: string, racks: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'skolo-racks-'));
  const write = (file: string, text: string) => {
    const path = join(folder, 'kube', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
  for (const [file, text] of Object.entries(base)) write(file, text);
  for (const rack of racks) write(`racks/${rack}/kustomization.yaml`, overlay(registry));
  write('clusters/config.json', '{}');
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'user.name', 'Ann');
  git('config', 'user.email', 'ann@example.com');
  git('add', '.');
  git('commit', '--quiet', '--message', 'racks');
  return {
    folder,
    /** Path of kube/clusters/config.json. */
    clusters: join(folder, 'kube/clusters/config.json'),
    /** Writes a file of kube/. */
    write,
    git,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export type RackRepository = Awaited<ReturnType<typeof createRackRepository>>;

/** A request to push everything to rack4. */
export function requestOf(asked: Partial<Request> & Pick<Request, 'id'>): Request {
  return {
    startedAt: '2026-11-21T12:00:00Z',
    by: 'Ann',
    why: 'a test',
    services: [],
    isRollback: false,
    racks: ['rack4'],
    canaries: 1,
    soakMs: 0,
    onFailure: 'stop',
    ...asked,
  };
}
