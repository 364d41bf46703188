/** The memory of a deployment, as the kernel enforces it: a cgroup of version 1 or 2. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

const versions = [
  {
    root: '/sys/fs/cgroup/memory',
    limit: 'memory.limit_in_bytes',
    most: 'memory.max_usage_in_bytes',
  },
  { root: '/sys/fs/cgroup', limit: 'memory.max', most: 'memory.peak' },
] as const;

interface MemoryLimit {
  /** Bytes. */
  limit: number;
  /** Precedes a program and its arguments. */
  command: string[];
  /** Peak usage in bytes. */
  most(): number;
  /** After the end of its processes. */
  remove(): void;
}

/** Undefined if no cgroup with a limit can be created. */
export function limitMemory(name: string, limit: number): MemoryLimit | undefined {
  for (const version of versions) {
    const folder = join(version.root, `skolo-test-${name}-${process.pid}`);
    try {
      mkdirSync(folder);
    } catch {
      continue;
    }
    if (existsSync(join(folder, version.limit))) {
      writeFileSync(join(folder, version.limit), String(limit));
      return {
        limit,
        command: ['sh', '-c', `echo $$ > ${folder}/cgroup.procs && exec "$@"`, 'sh'],
        most: () => Number(readFileSync(join(folder, version.most), 'utf8')),
        remove: () => rmdirSync(folder),
      };
    }
    rmdirSync(folder);
  }
  return undefined;
}

const Deployment = z.object({
  kind: z.literal('Deployment'),
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.tuple([
          z.object({
            resources: z.object({
              limits: z.object({ memory: z.string().regex(/^\d+Mi$/) }),
            }),
          }),
        ]),
      }),
    }),
  }),
});

/** Bytes, from kube/base. */
export function memoryOf(service: string): number {
  const url = new URL(`../../../../kube/base/${service}/deployment.yaml`, import.meta.url);
  const documents = parseAllDocuments(readFileSync(fileURLToPath(url), 'utf8'));
  const [deployment] = documents.flatMap((one) => Deployment.safeParse(one.toJS()).data ?? []);
  if (deployment === undefined) throw new Error(`${service}: no limit of memory in its deployment`);
  const [{ resources }] = deployment.spec.template.spec.containers;
  return Number.parseInt(resources.limits.memory, 10) * 2 ** 20;
}
