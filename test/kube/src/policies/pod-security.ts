/**
 * The Pod Security standard `restricted`, as the API server enforces it in a namespace that asks for it.
 * https://kubernetes.io/docs/concepts/security/pod-security-standards/
 */
import { containersOf, type Manifest, type Workload, workloadsOf } from '../manifest.ts';

const label = 'pod-security.kubernetes.io/enforce';
const volumeTypes = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);
const sysctls = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_syncookies',
]);
const seccompTypes = new Set(['RuntimeDefault', 'Localhost']);

/** Every namespace exists and sets its standard in all three modes; pods of restricted ones keep to it. */
export function podSecurityProblems(objects: readonly Manifest[]): string[] {
  const namespaces = objects.filter(({ kind }) => kind === 'Namespace');
  const restricted = new Set(
    namespaces
      .filter(({ metadata }) => metadata.labels?.[label] === 'restricted')
      .map(({ metadata }) => metadata.name),
  );
  const known = new Set([...namespaces.map(({ metadata }) => metadata.name), 'kube-system']);
  return [
    ...namespaces.flatMap(labelProblems),
    ...objects
      .filter(({ metadata: { namespace } }) => namespace !== undefined && !known.has(namespace))
      .map(({ kind, metadata }) => `${kind} ${metadata.name}: no namespace ${metadata.namespace}`),
    ...workloadsOf(objects)
      .filter(({ namespace }) => restricted.has(namespace))
      .flatMap((workload) =>
        restrictedProblems(workload).map(
          (problem) => `${workload.title}: not restricted: ${problem}`,
        ),
      ),
  ];
}

function labelProblems({ metadata: { name, labels = {} } }: Manifest): string[] {
  return ['enforce', 'audit', 'warn'].flatMap((mode) =>
    ['', '-version']
      .map((suffix) => `pod-security.kubernetes.io/${mode}${suffix}`)
      .filter((key) => labels[key] === undefined)
      .map((key) => `Namespace ${name}: no label ${key}`),
  );
}

function restrictedProblems(workload: Workload): string[] {
  const { pod } = workload;
  const context = pod.securityContext;
  return [
    ...(pod.hostNetwork || pod.hostPID || pod.hostIPC ? ['a namespace of the host'] : []),
    ...pod.volumes.flatMap((volume) =>
      Object.keys(volume)
        .filter((key) => key !== 'name' && !volumeTypes.has(key))
        .map((type) => `the volume ${volume.name} is a ${type}`),
    ),
    ...(context.sysctls ?? [])
      .filter(({ name }) => !sysctls.has(name))
      .map(({ name }) => `sysctl ${name}`),
    ...(context.runAsUser === 0 ? ['runAsUser 0'] : []),
    ...containersOf(workload).flatMap(({ name, ports, securityContext: own }) => {
      const seccomp = (own.seccompProfile ?? context.seccompProfile)?.type ?? 'Unconfined';
      const appArmor = own.appArmorProfile?.type ?? 'RuntimeDefault';
      const added = (own.capabilities?.add ?? []).filter((each) => each !== 'NET_BIND_SERVICE');
      return [
        ...(own.privileged ? ['privileged'] : []),
        ...(own.allowPrivilegeEscalation === false ? [] : ['allowPrivilegeEscalation']),
        ...((own.runAsNonRoot ?? context.runAsNonRoot) ? [] : ['runAsNonRoot is not true']),
        ...(own.runAsUser === 0 ? ['runAsUser 0'] : []),
        ...(own.capabilities?.drop?.includes('ALL') ? [] : ['capabilities are not dropped']),
        ...added.map((each) => `capability ${each}`),
        ...(seccompTypes.has(seccomp) ? [] : [`seccomp ${seccomp}`]),
        ...(appArmor === 'Unconfined' ? ['AppArmor Unconfined'] : []),
        ...((own.procMount ?? 'Default') === 'Default' ? [] : [`procMount ${own.procMount}`]),
        ...ports.filter(({ hostPort = 0 }) => hostPort !== 0).map(() => 'a hostPort'),
      ].map((problem) => `${name}: ${problem}`);
    }),
  ];
}
