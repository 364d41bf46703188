/** How kube/base starts a service, as arguments of `docker run`: images are tried as they are deployed. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceName } from '@skolo/rack';
import { parse } from 'yaml';
import { z } from 'zod';
import { root } from '../paths.ts';

const SecurityContext = z.object({
  runAsUser: z.int().optional(),
  runAsGroup: z.int().optional(),
  allowPrivilegeEscalation: z.boolean().default(true),
  capabilities: z
    .object({ drop: z.array(z.string()).default([]), add: z.array(z.string()).default([]) })
    .default({ drop: [], add: [] }),
});

const Volume = z.object({
  name: z.string(),
  emptyDir: z.looseObject({ sizeLimit: z.string().optional() }).optional(),
  hostPath: z.object({ path: z.string() }).optional(),
  persistentVolumeClaim: z.looseObject({}).optional(),
  projected: z.looseObject({}).optional(),
  secret: z.looseObject({}).optional(),
});

const Container = z.object({
  name: z.string(),
  ports: z.array(z.object({ name: z.string(), containerPort: z.int() })),
  securityContext: SecurityContext,
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
});

const Workload = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        securityContext: SecurityContext.pick({ runAsUser: true, runAsGroup: true }),
        containers: z.array(Container),
        volumes: z.array(Volume).default([]),
      }),
    }),
  }),
});

/**
 * Reads it from the service's manifest. State is in memory, and no container is privileged.
 *
 * @param etc a folder of this computer, in place of the volume at /etc/skolo
 */
export async function readPod(service: ServiceName, etc?: string) {
  const kind = service === 'swarming-client' ? 'daemonset' : 'deployment';
  const file = join(root, 'kube/base', service, `${kind}.yaml`);
  const pod = Workload.parse(parse(await readFile(file, 'utf8'))).spec.template.spec;
  const container = pod.containers.find(({ name }) => name === service);
  if (!container) throw new Error(`${file} has no container ${service}`);
  const context = container.securityContext;
  const user = context.runAsUser ?? pod.securityContext.runAsUser;
  const group = context.runAsGroup ?? pod.securityContext.runAsGroup;
  const metrics = container.ports.find(({ name }) => name === 'metrics');
  if (user === undefined || group === undefined || !metrics) {
    throw new Error(`${file} has no user, no group or no port of metrics`);
  }
  const mounts = container.volumeMounts.flatMap(({ name, mountPath }) => {
    const volume = pod.volumes.find((candidate) => candidate.name === name);
    if (!volume) throw new Error(`${file} has no volume ${name}`);
    return mount(volume, mountPath, { user, group, etc });
  });
  return {
    user,
    /** Where `/metrics`, `/healthz` and `/readyz` are. */
    metricsPort: metrics.containerPort,
    /** Of `docker run`: user, capabilities, mounts; the root file system is read-only for all. */
    args: [
      ...['--read-only', '--user', `${user}:${group}`],
      ...context.capabilities.drop.map((name) => `--cap-drop=${name}`),
      ...context.capabilities.add.map((name) => `--cap-add=${name}`),
      ...(context.allowPrivilegeEscalation ? [] : ['--security-opt=no-new-privileges']),
      ...mounts,
    ],
  };
}

/** What a test needs to know of a service's pod. */
type Pod = Awaited<ReturnType<typeof readPod>>;

/**
 * The same for a service without a rack around it: the agent reads rack.yaml itself, for want of a metadata server.
 *
 * @param etc a folder with `rackOfOne` as rack.yaml
 * @param resolver who is asked for names; by default nobody, and that is known at once
 */
export async function readPodAlone(
  service: ServiceName,
  etc: string,
  resolver = '127.0.0.1',
): Promise<Pod & { command: string[] }> {
  const pod = await readPod(service, etc);
  // As long as the resolver can wait: five times half a minute for each name.
  const options = ['--dns-option=timeout:30', '--dns-option=attempts:5'];
  const args = [...pod.args, `--dns=${resolver}`, ...options];
  if (service !== 'swarming-client') return { ...pod, args, command: [] };
  return {
    ...pod,
    args: [...args, `--volume=${etc}:/etc/skolo:ro`],
    command: ['--rack', '/etc/skolo/rack.yaml', '--machine', 'rpi-1'],
  };
}

function mount(
  { emptyDir, persistentVolumeClaim, hostPath, projected, secret }: z.output<typeof Volume>,
  path: string,
  { user, group, etc }: { user: number; group: number; etc: string | undefined },
): string[] {
  if (emptyDir) {
    const size = (emptyDir.sizeLimit ?? '64Mi').replace('i', '').toLowerCase();
    return [`--tmpfs=${path}:mode=1777,size=${size}`];
  }
  if (persistentVolumeClaim || hostPath?.path.startsWith('/var/lib/')) {
    return [`--tmpfs=${path}:uid=${user},gid=${group},mode=0700`];
  }
  if (projected) return etc === undefined ? [] : [`--volume=${etc}:${path}:ro`];
  // What is of the computer itself, and a Secret that need not be there.
  if (hostPath || secret) return [];
  throw new Error(`no way to mount ${path} here`);
}
