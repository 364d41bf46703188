import { readFileSync } from 'node:fs';
import { parseRack } from '@skolo/rack';
import { describe, expect, it } from 'vitest';
import { type Manifest, readManifests } from '../manifest.ts';
import { policies } from './index.ts';
import { privilegeProblems } from './privileges.ts';
import { rackSettingsProblems } from './rack-settings.ts';

const good = readFileSync(new URL('../testing/good.yaml', import.meta.url), 'utf8');
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

  /** For each policy, changes of what is good, with the problem that it finds then. */
  const faults: Record<string, [from: string, to: string, problem: string][]> = {
    images: [
      [image, 'registry.example.com/skolo/router-backup', 'has no tag'],
      [image, 'registry.example.com/skolo/router-backup:latest', 'has the tag latest'],
      [image, 'registry.example.com/skolo/router-backup:unset', 'has the tag unset'],
      [image, 'registry.example.com/skolo/router-backup:v1', 'TIME-USER-COMMIT-clean'],
      ['-clean', '-dirty', 'TIME-USER-COMMIT-clean'],
      [image, 'prom/prometheus:v3', 'does not name its registry'],
      ['imagePullPolicy: IfNotPresent', 'imagePullPolicy: Always', 'is Always'],
    ],
    'messages of failing containers': [
      [
        'terminationMessagePolicy: FallbackToLogsOnError',
        'terminationMessagePolicy: File',
        'no terminationMessagePolicy',
      ],
    ],
    resources: [
      ['limits: { memory: 512Mi }', 'limits: {}', 'no memory limit'],
      ['limits: { memory', 'limits: { cpu: 1, memory', 'a CPU limit'],
      ['requests: { cpu: 50m, memory: 192Mi }', 'requests: {}', 'no CPU request'],
      ['cpu: 50m, memory: 192Mi', 'cpu: 50m', 'no memory request'],
    ],
    'size of emptyDirs': [['emptyDir: { sizeLimit: 64Mi }', 'emptyDir: {}', 'no sizeLimit']],
    probes: [
      ['livenessProbe:', 'x-probe:', 'no liveness probe'],
      ['readinessProbe:', 'x-probe:', 'no readiness probe'],
      ['startupProbe:', 'x-probe:', 'no startup probe'],
      ['path: /readyz', 'path: /healthz', 'does not ask /readyz on the port metrics'],
      ['path: /healthz, port: metrics', 'path: /healthz, port: web', 'which it does not have'],
    ],
    privileges: [
      ['nodeSelector:', 'hostNetwork: true\n      nodeSelector:', 'hostNetwork'],
      ['nodeSelector:', 'hostPID: true\n      nodeSelector:', 'hostPID'],
      ['nodeSelector:', 'hostIPC: true\n      nodeSelector:', 'hostIPC'],
      ['runAsUser: 10001', 'runAsUser: 0', 'root'],
      ['runAsNonRoot: true\n        runAsUser: 10001', 'fsGroup: 1', 'root'],
      ['readOnlyRootFilesystem: true', 'privileged: true', 'privileged'],
      ['readOnlyRootFilesystem: true', 'runAsUser: 1', 'writable root file system'],
      ['allowPrivilegeEscalation: false', 'runAsUser: 1', 'privilege escalation'],
      ['drop: [ALL]', 'drop: [CHOWN]', 'capabilities not dropped'],
      ['drop: [ALL]', 'drop: [ALL], add: [SYS_ADMIN]', 'capability SYS_ADMIN'],
      ['seccompProfile: { type: RuntimeDefault }', 'fsGroup: 1', 'no seccomp profile'],
      ['emptyDir: { sizeLimit: 64Mi }', 'hostPath: { path: /tmp }', 'hostPath /tmp'],
      ['path: /b/s', 'path: /home', 'hostPath /home'],
    ],
    'Pod Security': [
      ['nodeSelector:', 'hostNetwork: true\n      nodeSelector:', 'of the host'],
      ['emptyDir: { sizeLimit: 64Mi }', 'hostPath: { path: /tmp }', 'is a hostPath'],
      ['net.ipv4.ping_group_range', 'kernel.msgmax', 'sysctl kernel.msgmax'],
      ['runAsNonRoot: true', 'fsGroup: 1', 'runAsNonRoot is not true'],
      ['runAsUser: 10001', 'runAsUser: 0', 'runAsUser 0'],
      ['readOnlyRootFilesystem: true', 'privileged: true', 'privileged'],
      ['allowPrivilegeEscalation: false', 'runAsUser: 1', 'allowPrivilegeEscalation'],
      ['drop: [ALL]', 'drop: [CHOWN]', 'capabilities are not dropped'],
      ['drop: [ALL]', 'drop: [ALL], add: [CHOWN]', 'capability CHOWN'],
      ['type: RuntimeDefault', 'type: Unconfined', 'seccomp Unconfined'],
      ['readOnlyRootFilesystem: true', 'procMount: Unmasked', 'procMount Unmasked'],
      [
        'readOnlyRootFilesystem: true',
        'appArmorProfile: { type: Unconfined }',
        'AppArmor Unconfined',
      ],
      ['containerPort: 8003', 'containerPort: 8003, hostPort: 8003', 'a hostPort'],
      ['pod-security.kubernetes.io/warn-version', 'x', 'no label pod-security'],
      [
        'metadata: { name: rack, namespace: skolo }',
        'metadata: { name: rack, namespace: skol }',
        'no namespace skol',
      ],
    ],
    selectors: [
      [
        'labels: { app.kubernetes.io/name: router-backup }',
        'labels: { a: b }',
        'does not select its own pods',
      ],
      [
        'selector: { app.kubernetes.io/name: router-backup }',
        'selector: { a: b }',
        'no pod has its labels',
      ],
      ['targetPort: http', 'targetPort: web', 'has no port web'],
    ],
    'pods that NetworkPolicies name': [
      [
        'app.kubernetes.io/name: grafana',
        'app.kubernetes.io/name: grafna',
        'no pod is called grafna',
      ],
    ],
    'default-deny': [
      ['policyTypes: [Ingress, Egress]', 'policyTypes: [Ingress]', 'no policy denies all Egress'],
      [
        'spec: { podSelector: {}, policyTypes: [Ingress] }',
        'spec: { podSelector: {}, policyTypes: [Ingress], ingress: [{}] }',
        'skolo-node: no policy denies all Ingress',
      ],
    ],
    references: [
      ['configMap: { name: rack }', 'configMap: { name: rak }', 'no ConfigMap rak'],
      ['secret: { name: router-backup', 'secret: { name: backup', 'backup is not a declared one'],
      [
        'name: router-backup, optional: true',
        'name: router-backup',
        'would not start without the Secret',
      ],
      ['claimName: router-backup', 'claimName: backup', 'no PersistentVolumeClaim backup'],
      [
        'serviceAccountName: router-backup',
        'serviceAccountName: backup',
        'no ServiceAccount backup',
      ],
      [
        'priorityClassName: system-cluster-critical',
        'priorityClassName: high',
        'no PriorityClass high',
      ],
      ['volumeName: router-backup', 'volumeName: backup', 'no PersistentVolume backup'],
      ['claimRef: { namespace: skolo,', 'claimRef: { namespace: other,', 'that is kept for it'],
      [
        'metadata: { name: skolo-local }',
        'metadata: { name: local }',
        'no StorageClass skolo-local',
      ],
      ['service: { name: router-backup', 'service: { name: backup', 'no Service backup'],
      ['port: { name: http }', 'port: { name: web }', 'has no port web'],
      ['skolo-apps-sign-in@', 'skolo-sign-in@', 'no Middleware skolo-sign-in@kubernetescrd'],
      [
        'basicAuth: { secret: apps-users }',
        'basicAuth: { secret: users }',
        'users is not a declared one',
      ],
    ],
    'no secret in git': [
      ['kind: StorageClass', 'kind: Secret', 'is made by hand'],
      ['password: secrets/switch', 'key: -----BEGIN RSA PRIVATE KEY-----', 'a private key'],
      ['value: debug', `value: AGE-SECRET-KEY-1${'Q'.repeat(58)}`, 'an age identity'],
      ['value: debug', `value: ya29.${'a'.repeat(30)}`, 'an OAuth token'],
      ['value: debug', `value: https://ann:secret@example.com`, 'a password in a URL'],
      ['value: debug', `value: $2y$05$${'a'.repeat(53)}`, 'a hashed password'],
      [
        '"basic_auth: { username: ann, password_file: /etc/password }"',
        '"basic_auth:\\n  password: hunter2"',
        'a value where a secret is meant to be',
      ],
      [
        '"basic_auth: { username: ann, password_file: /etc/password }"',
        '"basic_auth: { username: ann, password: hunter2 }"',
        'a value where a secret is meant to be',
      ],
    ],
    'Services that configurations name': [
      ['metrics.skolo.svc', 'metric.skolo.svc', 'no Service router-backup-metric.skolo.svc:20011'],
      ['metrics.skolo.svc', 'metrics.skolo-node.svc', 'no Service'],
      ['svc:20011', 'svc:20012', 'no Service'],
    ],
    'no secret in variables': [
      ['name: SKOLO_LOG_LEVEL', 'name: SKOLO_PASSWORD', 'has its value here'],
    ],
    'no secret on machines': [
      ['secretName: adb-key', 'secretName: metadata-server', 'would be on every Pi'],
      [
        'secret: { secretName: adb-key, optional: true }',
        'configMap: { name: rack }',
        'the ConfigMap rack would be on every Pi',
      ],
      [
        jumphostLabel,
        'nodeSelector: { kubernetes.io/os: linux }',
        'the Secret router-backup would be on every Pi',
      ],
    ],
    placement: [
      [
        neverOnJumphost,
        '- { key: a, operator: DoesNotExist }',
        'swarming-client: runs on every node',
      ],
      [
        '- { key: node-role.kubernetes.io/control-plane, operator: DoesNotExist }',
        '',
        'runs on every node',
      ],
      [jumphostLabel, 'nodeSelector: {}', 'router-backup: runs on every node'],
      [
        jumphostLabel,
        'nodeSelector: { node-role.kubernetes.io/control-plane: "true" }',
        'no nodeSelector',
      ],
      [jumphostLabel, 'nodeSelector: { a: b }', 'runs nowhere'],
      [
        'unreachable, operator: Exists',
        'unreachable, operator: Exists, tolerationSeconds: 300',
        'does not tolerate node.kubernetes.io/unreachable for ever',
      ],
      ['- { operator: Exists, effect: NoSchedule }', '', 'gives way under pressure'],
      [
        'priorityClassName: system-cluster-critical',
        'priorityClassName: skolo-jumphost',
        'router-backup: tolerates a pressure under which the kubelet rejects it',
      ],
      [
        'priorityClassName: system-cluster-critical',
        'priorityClassName: skolo-jumphost',
        'swarming-client: a machine whose disk is nearly full evicts it',
      ],
      ['priorityClassName: system-cluster-critical', 'hostIPC: false', 'no priorityClassName'],
    ],
    roles: [
      [
        'kind: ClusterRole, name: reader',
        'kind: ClusterRole, name: cluster-admin',
        'gives the role cluster-admin',
      ],
      [role, 'resources: ["*"], verbs: [get]', 'a rule with *'],
      [role, 'resources: [secrets], verbs: [get]', 'a rule for Secrets'],
      [role, 'resources: [pods/exec], verbs: [get]', 'a rule for pods/exec'],
      [role, 'resources: [services/proxy], verbs: [get]', 'a rule for services/proxy'],
      [
        role,
        'resources: [services/proxy], resourceNames: ["prometheus:9090"], verbs: [get]',
        'a rule for services/proxy',
      ],
      [role, 'resources: [daemonsets], verbs: [patch]', 'a rule for daemonsets'],
      [role, 'resources: [users], verbs: [impersonate]', 'a rule for impersonate'],
    ],
    accounts: [
      [
        'serviceAccountName: router-backup',
        'serviceAccountName: default',
        'its service account is default',
      ],
      ['automountServiceAccountToken: false', 'automountServiceAccountToken: true', 'has a token'],
      ['- configMap: { name: rack }', '- serviceAccountToken: { path: token }', 'has a token'],
      ['enableServiceLinks: false', 'enableServiceLinks: true', 'in its environment'],
    ],
    'ports of services': [
      ['containerPort: 8003', 'containerPort: 8004', 'its port http is 8004, not 8003'],
      ['containerPort: 20014', 'containerPort: 20015', 'its port metrics is 20015, not 20014'],
      ['port: 8003, targetPort', 'port: 80, targetPort', 'Service router-backup: no port 8003'],
      [
        'port: 20011, targetPort',
        'port: 80, targetPort',
        'Service router-backup-metrics: no port 20011',
      ],
    ],
    'Services that the rack sees': [
      [rackService, rackService.replace('router-backup', 'metadata'), 'pods would find this'],
      [
        'externalTrafficPolicy: Local',
        'externalTrafficPolicy: Cluster',
        'callers lose their addresses',
      ],
      ['type: LoadBalancer\n  externalTrafficPolicy: Local', 'type: NodePort', 'open on every Pi'],
      ['targetPort: http', 'targetPort: metrics', 'shows its metrics to the rack'],
    ],
    'ports of hosts': [
      ['port: 8003, targetPort', 'port: 443, targetPort', 'port 443/TCP: traefik and Service'],
    ],
    'node ports': [
      ['port: 8003, targetPort', 'nodePort: 30086, port: 8003, targetPort', '30086 may be taken'],
    ],
    'live configuration': [
      [
        'mountPath: /etc/skolo }',
        'mountPath: /etc/skolo, subPath: rack.yaml }',
        'mounted by subPath',
      ],
      ['mountPath: /etc/skolo }', 'mountPath: /etc }', 'does not see rack.yaml'],
      ['secret: { name: router-backup', 'secret: { name: metadata-server', 'which is not its own'],
    ],
    'settings of the rack': [
      [
        'terminationGracePeriodSeconds: 7350',
        'terminationGracePeriodSeconds: 7200',
        'is killed after 7200 s, and needs 7350 s',
      ],
      [
        'terminationGracePeriodSeconds: 30',
        'terminationGracePeriodSeconds: 20',
        'is killed after 20 s, and needs 25 s',
      ],
      ['maxUnavailable: 25%', 'maxUnavailable: 1', 'not a quarter'],
      ['mountPath: /b/s', 'mountPath: /b/t', "/b/s is not the host's"],
    ],
  };

  it.each(
    Object.entries(faults).flatMap(([policy, rows]) =>
      rows.map((row) => [policy, ...row] as const),
    ),
  )('%s: %s -> %s', (policy, from, to, problem) => {
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
