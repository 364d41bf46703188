import { parseRack } from '@skolo/rack';
import { describe, expect, it } from 'vitest';
import { type Manifest, readManifests } from '../manifest.ts';
import { good } from '../testing/good.ts';
import { policies } from './index.ts';
import { privilegeProblems } from './privileges.ts';
import { rackSettingsProblems } from './rack-settings.ts';

const rack = parseRack(
  `
rack: r
jumphost: { name: j, address: 192.168.1.8 }
services: { swarming-client: { taskGraceSeconds: 7200 }, router-backup: { stopWithin: 20 } }
`,
  { file: '/rack.yaml' },
);

const all = new Map([
  ...policies,
  [
    'privileges',
    (objects: readonly Manifest[]) => privilegeProblems(objects, { bots: ['/b/s'] }),
  ] as const,
  [
    'settings of the rack',
    (objects: readonly Manifest[]) => rackSettingsProblems(objects, rack),
  ] as const,
]);

/** The problems that the policy finds when one text takes the place of another. */
function afterChange(policy: string, from: string, to: string): string[] {
  if (!good.includes(from)) throw new Error(`nothing to change: ${from}`);
  return problemsOf(policy, good.replaceAll(from, to));
}

/** The object of a kind. */
function part(kind: string): string {
  return good.split('---').find((text) => text.includes(`kind: ${kind}\n`)) ?? '';
}

function problemsOf(policy: string, text: string): string[] {
  const check = all.get(policy);
  if (!check) throw new Error(`no policy ${policy}`);
  return check(readManifests(text));
}

describe('policies', () => {
  it.each([...all.keys()].filter((name) => name !== 'ports of services'))(
    '%s: content with what is good',
    (name) => {
      expect(problemsOf(name, good)).toEqual([]);
    },
  );

  const image = 'registry.example.com/skolo/router-backup:2026-11-20T22_40_05Z-ann-295cca0-clean';
  const role = 'resources: [nodes], verbs: [get]';
  const jumphostLabel = 'nodeSelector: { node-restriction.kubernetes.io/skolo-jumphost: "true" }';
  const neverOnJumphost =
    '- { key: node-restriction.kubernetes.io/skolo-jumphost, operator: DoesNotExist }';
  const rackService = 'metadata: { name: router-backup, namespace: skolo }\nspec:\n  type';

  it.each<[policy: string, from: string, to: string, problem: string]>([
    ['images', image, 'registry.example.com/skolo/router-backup', 'has no tag'],
    ['images', image, 'registry.example.com/skolo/router-backup:latest', 'has the tag latest'],
    ['images', image, 'registry.example.com/skolo/router-backup:unset', 'has the tag unset'],
    ['images', image, 'registry.example.com/skolo/router-backup:v1', 'TIME-USER-COMMIT-clean'],
    ['images', '-clean', '-dirty', 'TIME-USER-COMMIT-clean'],
    ['images', image, 'prom/prometheus:v3', 'does not name its registry'],
    ['images', 'imagePullPolicy: IfNotPresent', 'imagePullPolicy: Always', 'is Always'],
    [
      'messages of failing containers',
      'terminationMessagePolicy: FallbackToLogsOnError',
      'terminationMessagePolicy: File',
      'no terminationMessagePolicy',
    ],
    ['resources', 'limits: { memory: 512Mi }', 'limits: {}', 'no memory limit'],
    ['resources', 'limits: { memory', 'limits: { cpu: 1, memory', 'a CPU limit'],
    ['resources', 'requests: { cpu: 50m, memory: 192Mi }', 'requests: {}', 'no CPU request'],
    ['resources', 'cpu: 50m, memory: 192Mi', 'cpu: 50m', 'no memory request'],
    ['size of emptyDirs', 'emptyDir: { sizeLimit: 64Mi }', 'emptyDir: {}', 'no sizeLimit'],
    ['probes', 'livenessProbe:', 'x-probe:', 'no liveness probe'],
    ['probes', 'readinessProbe:', 'x-probe:', 'no readiness probe'],
    ['probes', 'startupProbe:', 'x-probe:', 'no startup probe'],
    ['probes', 'path: /readyz', 'path: /healthz', 'does not ask /readyz on the port metrics'],
    [
      'probes',
      'path: /healthz, port: metrics',
      'path: /healthz, port: web',
      'which it does not have',
    ],
    ['privileges', 'nodeSelector:', 'hostNetwork: true\n      nodeSelector:', 'hostNetwork'],
    ['privileges', 'nodeSelector:', 'hostPID: true\n      nodeSelector:', 'hostPID'],
    ['privileges', 'nodeSelector:', 'hostIPC: true\n      nodeSelector:', 'hostIPC'],
    ['privileges', 'runAsUser: 10001', 'runAsUser: 0', 'root'],
    ['privileges', 'runAsNonRoot: true\n        runAsUser: 10001', 'fsGroup: 1', 'root'],
    ['privileges', 'readOnlyRootFilesystem: true', 'privileged: true', 'privileged'],
    ['privileges', 'readOnlyRootFilesystem: true', 'runAsUser: 1', 'writable root file system'],
    ['privileges', 'allowPrivilegeEscalation: false', 'runAsUser: 1', 'privilege escalation'],
    ['privileges', 'drop: [ALL]', 'drop: [CHOWN]', 'capabilities not dropped'],
    ['privileges', 'drop: [ALL]', 'drop: [ALL], add: [SYS_ADMIN]', 'capability SYS_ADMIN'],
    ['privileges', 'seccompProfile: { type: RuntimeDefault }', 'fsGroup: 1', 'no seccomp profile'],
    ['privileges', 'emptyDir: { sizeLimit: 64Mi }', 'hostPath: { path: /tmp }', 'hostPath /tmp'],
    ['privileges', 'path: /b/s', 'path: /home', 'hostPath /home'],
    ['Pod Security', 'nodeSelector:', 'hostNetwork: true\n      nodeSelector:', 'of the host'],
    ['Pod Security', 'emptyDir: { sizeLimit: 64Mi }', 'hostPath: { path: /tmp }', 'is a hostPath'],
    ['Pod Security', 'net.ipv4.ping_group_range', 'kernel.msgmax', 'sysctl kernel.msgmax'],
    ['Pod Security', 'runAsNonRoot: true', 'fsGroup: 1', 'runAsNonRoot is not true'],
    ['Pod Security', 'runAsUser: 10001', 'runAsUser: 0', 'runAsUser 0'],
    ['Pod Security', 'readOnlyRootFilesystem: true', 'privileged: true', 'privileged'],
    ['Pod Security', 'allowPrivilegeEscalation: false', 'runAsUser: 1', 'allowPrivilegeEscalation'],
    ['Pod Security', 'drop: [ALL]', 'drop: [CHOWN]', 'capabilities are not dropped'],
    ['Pod Security', 'drop: [ALL]', 'drop: [ALL], add: [CHOWN]', 'capability CHOWN'],
    ['Pod Security', 'type: RuntimeDefault', 'type: Unconfined', 'seccomp Unconfined'],
    ['Pod Security', 'readOnlyRootFilesystem: true', 'procMount: Unmasked', 'procMount Unmasked'],
    [
      'Pod Security',
      'readOnlyRootFilesystem: true',
      'appArmorProfile: { type: Unconfined }',
      'AppArmor Unconfined',
    ],
    ['Pod Security', 'containerPort: 8003', 'containerPort: 8003, hostPort: 8003', 'a hostPort'],
    ['Pod Security', 'pod-security.kubernetes.io/warn-version', 'x', 'no label pod-security'],
    [
      'Pod Security',
      'metadata: { name: rack, namespace: skolo }',
      'metadata: { name: rack, namespace: skol }',
      'no namespace skol',
    ],
    [
      'selectors',
      'labels: { app.kubernetes.io/name: router-backup }',
      'labels: { a: b }',
      'does not select its own pods',
    ],
    [
      'selectors',
      'selector: { app.kubernetes.io/name: router-backup }',
      'selector: { a: b }',
      'no pod has its labels',
    ],
    ['selectors', 'targetPort: http', 'targetPort: web', 'has no port web'],
    [
      'pods that NetworkPolicies name',
      'app.kubernetes.io/name: grafana',
      'app.kubernetes.io/name: grafna',
      'no pod is called grafna',
    ],
    [
      'default-deny',
      'policyTypes: [Ingress, Egress]',
      'policyTypes: [Ingress]',
      'no policy denies all Egress',
    ],
    [
      'default-deny',
      'spec: { podSelector: {}, policyTypes: [Ingress] }',
      'spec: { podSelector: {}, policyTypes: [Ingress], ingress: [{}] }',
      'skolo-node: no policy denies all Ingress',
    ],
    ['references', 'configMap: { name: rack }', 'configMap: { name: rak }', 'no ConfigMap rak'],
    [
      'references',
      'secret: { name: router-backup',
      'secret: { name: backup',
      'backup is not a declared one',
    ],
    [
      'references',
      'name: router-backup, optional: true',
      'name: router-backup',
      'would not start without the Secret',
    ],
    [
      'references',
      'claimName: router-backup',
      'claimName: backup',
      'no PersistentVolumeClaim backup',
    ],
    [
      'references',
      'serviceAccountName: router-backup',
      'serviceAccountName: backup',
      'no ServiceAccount backup',
    ],
    [
      'references',
      'priorityClassName: system-cluster-critical',
      'priorityClassName: high',
      'no PriorityClass high',
    ],
    ['references', 'volumeName: router-backup', 'volumeName: backup', 'no PersistentVolume backup'],
    [
      'references',
      'claimRef: { namespace: skolo,',
      'claimRef: { namespace: other,',
      'that is kept for it',
    ],
    [
      'references',
      'metadata: { name: skolo-local }',
      'metadata: { name: local }',
      'no StorageClass skolo-local',
    ],
    [
      'references',
      'service: { name: router-backup',
      'service: { name: backup',
      'no Service backup',
    ],
    ['references', 'port: { name: http }', 'port: { name: web }', 'has no port web'],
    [
      'references',
      'skolo-apps-sign-in@',
      'skolo-sign-in@',
      'no Middleware skolo-sign-in@kubernetescrd',
    ],
    [
      'references',
      'basicAuth: { secret: apps-users }',
      'basicAuth: { secret: users }',
      'users is not a declared one',
    ],
    ['no secret in git', 'kind: StorageClass', 'kind: Secret', 'is made by hand'],
    [
      'Services that configurations name',
      'metrics.skolo.svc',
      'metric.skolo.svc',
      'no Service router-backup-metric.skolo.svc:20011',
    ],
    [
      'Services that configurations name',
      'metrics.skolo.svc',
      'metrics.skolo-node.svc',
      'no Service',
    ],
    ['Services that configurations name', 'svc:20011', 'svc:20012', 'no Service'],
    [
      'no secret in git',
      'password: secrets/switch',
      'key: -----BEGIN RSA PRIVATE KEY-----',
      'a private key',
    ],
    [
      'no secret in git',
      'value: debug',
      `value: AGE-SECRET-KEY-1${'Q'.repeat(58)}`,
      'an age identity',
    ],
    ['no secret in git', 'value: debug', `value: ya29.${'a'.repeat(30)}`, 'an OAuth token'],
    [
      'no secret in git',
      'value: debug',
      `value: https://ann:secret@example.com`,
      'a password in a URL',
    ],
    ['no secret in git', 'value: debug', `value: $2y$05$${'a'.repeat(53)}`, 'a hashed password'],
    [
      'no secret in git',
      '"basic_auth: { username: ann, password_file: /etc/password }"',
      '"basic_auth:\\n  password: hunter2"',
      'a value where a secret is meant to be',
    ],
    [
      'no secret in git',
      '"basic_auth: { username: ann, password_file: /etc/password }"',
      '"basic_auth: { username: ann, password: hunter2 }"',
      'a value where a secret is meant to be',
    ],
    [
      'no secret in variables',
      'name: SKOLO_LOG_LEVEL',
      'name: SKOLO_PASSWORD',
      'has its value here',
    ],
    [
      'no secret on machines',
      'secretName: adb-key',
      'secretName: metadata-server',
      'would be on every Pi',
    ],
    [
      'no secret on machines',
      'secret: { secretName: adb-key, optional: true }',
      'configMap: { name: rack }',
      'the ConfigMap rack would be on every Pi',
    ],
    [
      'no secret on machines',
      jumphostLabel,
      'nodeSelector: { kubernetes.io/os: linux }',
      'the Secret router-backup would be on every Pi',
    ],
    [
      'placement',
      neverOnJumphost,
      '- { key: a, operator: DoesNotExist }',
      'swarming-client: runs on every node',
    ],
    [
      'placement',
      '- { key: node-role.kubernetes.io/control-plane, operator: DoesNotExist }',
      '',
      'runs on every node',
    ],
    ['placement', jumphostLabel, 'nodeSelector: {}', 'router-backup: runs on every node'],
    [
      'placement',
      jumphostLabel,
      'nodeSelector: { node-role.kubernetes.io/control-plane: "true" }',
      'no nodeSelector',
    ],
    ['placement', jumphostLabel, 'nodeSelector: { a: b }', 'runs nowhere'],
    [
      'placement',
      'unreachable, operator: Exists',
      'unreachable, operator: Exists, tolerationSeconds: 300',
      'does not tolerate node.kubernetes.io/unreachable for ever',
    ],
    ['placement', '- { operator: Exists, effect: NoSchedule }', '', 'gives way under pressure'],
    [
      'placement',
      'priorityClassName: system-cluster-critical',
      'priorityClassName: skolo-jumphost',
      'router-backup: tolerates a pressure under which the kubelet rejects it',
    ],
    [
      'placement',
      'priorityClassName: system-cluster-critical',
      'priorityClassName: skolo-jumphost',
      'swarming-client: a machine whose disk is nearly full evicts it',
    ],
    [
      'placement',
      'priorityClassName: system-cluster-critical',
      'hostIPC: false',
      'no priorityClassName',
    ],
    [
      'roles',
      'kind: ClusterRole, name: reader',
      'kind: ClusterRole, name: cluster-admin',
      'gives the role cluster-admin',
    ],
    ['roles', role, 'resources: ["*"], verbs: [get]', 'a rule with *'],
    ['roles', role, 'resources: [secrets], verbs: [get]', 'a rule for Secrets'],
    ['roles', role, 'resources: [pods/exec], verbs: [get]', 'a rule for pods/exec'],
    ['roles', role, 'resources: [services/proxy], verbs: [get]', 'a rule for services/proxy'],
    ['roles', role, 'resources: [daemonsets], verbs: [patch]', 'a rule for daemonsets'],
    ['roles', role, 'resources: [users], verbs: [impersonate]', 'a rule for impersonate'],
    [
      'accounts',
      'serviceAccountName: router-backup',
      'serviceAccountName: default',
      'its service account is default',
    ],
    [
      'accounts',
      'automountServiceAccountToken: false',
      'automountServiceAccountToken: true',
      'has a token',
    ],
    [
      'accounts',
      '- configMap: { name: rack }',
      '- serviceAccountToken: { path: token }',
      'has a token',
    ],
    ['accounts', 'enableServiceLinks: false', 'enableServiceLinks: true', 'in its environment'],
    [
      'ports of services',
      'containerPort: 8003',
      'containerPort: 8004',
      'its port http is 8004, not 8003',
    ],
    [
      'ports of services',
      'containerPort: 20014',
      'containerPort: 20015',
      'its port metrics is 20015, not 20014',
    ],
    [
      'ports of services',
      'port: 8003, targetPort',
      'port: 80, targetPort',
      'Service router-backup: no port 8003',
    ],
    [
      'ports of services',
      'port: 20011, targetPort',
      'port: 80, targetPort',
      'Service router-backup-metrics: no port 20011',
    ],
    [
      'Services that the rack sees',
      rackService,
      rackService.replace('router-backup', 'metadata'),
      'pods would find this',
    ],
    [
      'Services that the rack sees',
      'externalTrafficPolicy: Local',
      'externalTrafficPolicy: Cluster',
      'callers lose their addresses',
    ],
    [
      'Services that the rack sees',
      'type: LoadBalancer\n  externalTrafficPolicy: Local',
      'type: NodePort',
      'open on every Pi',
    ],
    [
      'Services that the rack sees',
      'targetPort: http',
      'targetPort: metrics',
      'shows its metrics to the rack',
    ],
    [
      'ports of hosts',
      'port: 8003, targetPort',
      'port: 443, targetPort',
      'port 443/TCP: traefik and Service',
    ],
    [
      'live configuration',
      'mountPath: /etc/skolo }',
      'mountPath: /etc/skolo, subPath: rack.yaml }',
      'mounted by subPath',
    ],
    [
      'live configuration',
      'mountPath: /etc/skolo }',
      'mountPath: /etc }',
      'does not see rack.yaml',
    ],
    [
      'live configuration',
      'secret: { name: router-backup',
      'secret: { name: metadata-server',
      'which is not its own',
    ],
    [
      'settings of the rack',
      'terminationGracePeriodSeconds: 7350',
      'terminationGracePeriodSeconds: 7200',
      'is killed after 7200 s, and needs 7350 s',
    ],
    [
      'settings of the rack',
      'terminationGracePeriodSeconds: 30',
      'terminationGracePeriodSeconds: 20',
      'is killed after 20 s, and needs 25 s',
    ],
    ['settings of the rack', 'maxUnavailable: 100%', 'maxUnavailable: 1', 'one after the other'],
    ['settings of the rack', 'mountPath: /b/s', 'mountPath: /b/t', "/b/s is not the host's"],
  ])('%s: %s -> %s', (policy, from, to, problem) => {
    expect(afterChange(policy, from, to)).toContainEqual(expect.stringContaining(problem));
  });

  const agent = part('DaemonSet');

  it('selectors: two workloads with the same labels', () => {
    const other = agent.replace('{ name: swarming-client, namespace', '{ name: other, namespace');

    expect(problemsOf('selectors', `${good}---${other}`)).toContain(
      'DaemonSet skolo-node/swarming-client: selects the pods of DaemonSet skolo-node/other, too',
    );
  });

  it('ports of hosts: two pods on one machine', () => {
    const other = agent.replaceAll('swarming-client', 'other').replace('11001', '11002');

    expect(problemsOf('ports of hosts', `${good}---${other}`)).toEqual([
      'port 20014/TCP: DaemonSet skolo-node/swarming-client and DaemonSet skolo-node/other',
    ]);
  });

  it.each([
    ['as it is', '', '', []],
    ['without a port', 'value: "30010"', 'value: ""', ['asks the power-cycle daemon at ']],
    ['at another port', 'value: "30010"', 'value: "30011"', ['the power-cycle daemon at 30011']],
    ['without saying one', 'SKOLO_POWER', 'X', ['the power-cycle daemon at no node port']],
    ['where addresses are lost', 'Policy: Local', 'Policy: Cluster', ['at 30010']],
    ['at another service', 'selector: { app', 'selector: { a', ['at 30010']],
  ])('way of agents to the power-cycle daemon: %s', (_, from, to, problems) => {
    const daemon = part('Deployment').replaceAll('router-backup', 'power-cycle-daemon');
    const service = `
apiVersion: v1
kind: Service
metadata: { name: power-cycle-daemon-nodes, namespace: skolo }
spec:
  type: NodePort
  externalTrafficPolicy: Local
  selector: { app.kubernetes.io/name: power-cycle-daemon }
  ports: [{ port: 9210, targetPort: http, nodePort: 30010 }]
`;
    const asking = agent.replace(
      'ports: [',
      'env: [{ name: SKOLO_POWER_CYCLE_PORT, value: "30010" }]\n          ports: [',
    );
    const text = [daemon, service, asking].join('---');
    if (!text.includes(from)) throw new Error(`nothing to change: ${from}`);

    expect(problemsOf('way of agents to the power-cycle daemon', text.replace(from, to))).toEqual(
      problems.map((problem) => expect.stringContaining(problem)),
    );
  });

  it('Services that the rack sees: the metadata server, which is not ready without the internet connection', () => {
    const service = `
apiVersion: v1
kind: Service
metadata: { name: metadata-server-http, namespace: skolo-node }
spec:
  selector: { app.kubernetes.io/name: metadata-server }
  ports: [{ port: 80, targetPort: http }]
`;
    const always = service.replace('spec:', 'spec:\n  publishNotReadyAddresses: true');

    expect(problemsOf('Services that the rack sees', always)).toEqual([]);
    expect(problemsOf('Services that the rack sees', service)).toEqual([
      expect.stringContaining('leads nowhere while the internet connection is down'),
    ]);
  });

  it('placement: a machine with two agents', () => {
    const canary = agent.replaceAll('swarming-client', 'swarming-client-canary');

    expect(problemsOf('placement', `${good}---${canary}`)).toContainEqual(
      expect.stringContaining('has 2 agents'),
    );
  });

  it.each([
    ['as it is', '', '', []],
    ['no ingress', 'name: grafana } } }]', 'name: traefik } } }]', ['metrics']],
    ['at another port', 'ports: [{ port: metrics }]', 'ports: [{ port: http }]', ['metrics']],
    ['no egress', '{ to: [{ podSelector: {} }] }', '', ['metrics']],
    [
      'only out of the cluster',
      'to: [{ podSelector: {} }]',
      'to: [{ ipBlock: { cidr: 0.0.0.0/0, except: [10.42.0.0/16] } }]',
      ['metrics'],
    ],
    [
      'only to another namespace',
      'to: [{ podSelector: {} }]',
      'to: [{ namespaceSelector: { matchLabels: { a: b } } }]',
      ['metrics'],
    ],
  ])('ways between pods: %s', (_, from, to, closed) => {
    const asker = part('Deployment')
      .replaceAll('router-backup', 'grafana')
      .replace('projected:', 'configMap: { name: settings }\n          projected:');
    const text = `${good}---${asker}`;
    if (!text.includes(from)) throw new Error(`nothing to change: ${from}`);

    expect(problemsOf('ways between pods', text.replace(from, to))).toEqual(
      closed.map(() => 'grafana cannot reach router-backup at port 20011'),
    );
  });

  it('rejects kinds that no policy can read', () => {
    const pod = '{ apiVersion: v1, kind: Pod, metadata: { name: a } }';

    expect(() => problemsOf('images', pod)).toThrow(/no policy knows this kind/);
  });
});
