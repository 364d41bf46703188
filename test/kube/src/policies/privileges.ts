/** What a pod may do beyond its own walls: nothing, but for what exceptions.ts names. */
import { containersOf, type Manifest, type Workload, workloadsOf } from '../manifest.ts';
import { type Exception, exceptions, withoutExceptions } from './exceptions.ts';

/** Folders of bots are the rack's choice: `botDir`. */
interface HostFolders {
  bots: readonly string[];
}

/** Whatever is more than an ordinary process has. */
export function privilegeProblems(
  objects: readonly Manifest[],
  { bots }: HostFolders = { bots: [] },
  allowed: readonly Exception[] = exceptions,
): string[] {
  return withoutExceptions(
    workloadsOf(objects).flatMap((workload) =>
      privilegesOf(workload, bots).map((what) => ({
        title: workload.title,
        name: workload.name,
        what,
      })),
    ),
    allowed,
  );
}

/** All that a workload has of it, excepted or not. */
function privilegesOf(workload: Workload, bots: readonly string[]): string[] {
  const { pod } = workload;
  return [
    ...(pod.hostNetwork ? ['hostNetwork'] : []),
    ...(pod.hostPID ? ['hostPID'] : []),
    ...(pod.hostIPC ? ['hostIPC'] : []),
    ...pod.volumes.flatMap(({ hostPath }) =>
      hostPath === undefined
        ? []
        : [bots.includes(hostPath.path) ? 'hostPath of bots' : `hostPath ${hostPath.path}`],
    ),
    ...new Set(containersOf(workload).flatMap((container) => ofContainer(workload, container))),
  ];
}

function ofContainer(
  { pod }: Workload,
  { securityContext: own }: ReturnType<typeof containersOf>[number],
): string[] {
  const { capabilities, privileged, allowPrivilegeEscalation, readOnlyRootFilesystem } = own;
  const user = own.runAsUser ?? pod.securityContext.runAsUser;
  const nonRoot = own.runAsNonRoot ?? pod.securityContext.runAsNonRoot ?? false;
  const seccomp = own.seccompProfile ?? pod.securityContext.seccompProfile;
  return [
    ...(privileged ? ['privileged'] : []),
    // Without either, the image decides.
    ...(user === 0 || (user === undefined && !nonRoot) ? ['root'] : []),
    ...(allowPrivilegeEscalation === false ? [] : ['privilege escalation']),
    ...(readOnlyRootFilesystem ? [] : ['writable root file system']),
    ...(capabilities?.drop?.includes('ALL') ? [] : ['capabilities not dropped']),
    ...(capabilities?.add ?? []).map((name) => `capability ${name}`),
    ...(seccomp?.type === 'RuntimeDefault' ? [] : ['no seccomp profile']),
  ];
}
