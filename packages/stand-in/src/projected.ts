/** What the kubelet puts into the folder /etc/skolo of a pod, worked out from its Deployment in the same way. */
import { z } from 'zod';
import type { ApiServer } from './api-server.ts';
import { NotThere } from './api-server.ts';
import { deploymentPath } from './kubernetes.ts';
import type { StandInService } from './services.ts';

const Items = z.array(z.object({ key: z.string(), path: z.string() })).optional();
const Source = z.object({ name: z.string(), items: Items, optional: z.boolean().default(false) });
const Variable = z.object({
  name: z.string(),
  valueFrom: z
    .object({
      secretKeyRef: z
        .object({ name: z.string(), key: z.string(), optional: z.boolean().default(false) })
        .optional(),
    })
    .optional(),
});
const Template = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.array(z.object({ env: z.array(Variable).default([]) })).min(1),
        volumes: z
          .array(
            z.object({
              name: z.string(),
              projected: z
                .object({
                  sources: z.array(
                    z.object({ configMap: Source.optional(), secret: Source.optional() }),
                  ),
                })
                .optional(),
            }),
          )
          .default([]),
      }),
    }),
  }),
});

const ConfigMap = z.object({ data: z.record(z.string(), z.string()).default({}) });
const Secret = z.object({ data: z.record(z.string(), z.string()).default({}) });

/** Files by path; `environment` beside them has the variables that come from Secrets. */
export type Files = Map<string, Uint8Array>;

/** The volume that kube/ mounts at /etc/skolo. */
const volumeName = 'etc-skolo';

/** Throws a text for people when something is missing that the pod would wait for. */
export async function projectedFiles(api: ApiServer, service: StandInService): Promise<Files> {
  const { spec } = (await api.get(deploymentPath(service), Template)).spec.template;
  const sources = spec.volumes.find(({ name }) => name === volumeName)?.projected?.sources;
  if (sources === undefined) {
    throw new Error(`its Deployment has no projected volume ${volumeName}`);
  }
  const files: Files = new Map();
  for (const { configMap, secret } of sources) {
    if (configMap !== undefined) {
      const values = await valuesOf(api, service, 'configmaps', configMap.name);
      place(files, values, configMap, `ConfigMap ${configMap.name}`);
    }
    if (secret !== undefined) {
      const values = await valuesOf(api, service, 'secrets', secret.name);
      place(files, values, secret, `Secret ${secret.name}`);
    }
  }
  const environment = await environmentOf(api, service, spec.containers[0]?.env ?? []);
  if (environment !== '') files.set('environment', Buffer.from(environment));
  return files;
}

function place(
  files: Files,
  values: Map<string, Uint8Array> | undefined,
  { items, optional }: z.infer<typeof Source>,
  what: string,
) {
  if (values === undefined && !optional) throw new Error(`k3s has no ${what}`);
  const wanted = items ?? [...(values?.keys() ?? [])].map((key) => ({ key, path: key }));
  for (const { key, path } of wanted) {
    if (!isInside(path))
      throw new Error(`${what} names the path ${path}, which leads out of the folder`);
    const value = values?.get(key);
    if (value !== undefined) files.set(path, value);
    else if (!optional) throw new Error(`${what} has no key ${key}`);
  }
}

/** The API server refuses others, and so do we: it is root who writes here. */
function isInside(path: string): boolean {
  return (
    path !== '' &&
    path.split('/').every((part) => part !== '' && !part.startsWith('..') && part !== '.')
  );
}

async function environmentOf(
  api: ApiServer,
  service: StandInService,
  variables: z.infer<typeof Variable>[],
): Promise<string> {
  const lines: string[] = [];
  for (const { name, valueFrom } of variables) {
    const ref = valueFrom?.secretKeyRef;
    if (ref === undefined) continue;
    const value = (await valuesOf(api, service, 'secrets', ref.name))?.get(ref.key);
    if (value !== undefined)
      lines.push(`${name}="${escaped(Buffer.from(value).toString('utf8'))}"\n`);
    else if (!ref.optional) throw new Error(`Secret ${ref.name} has no key ${ref.key}`);
  }
  return lines.join('');
}

/** In double quotes of an EnvironmentFile (systemd.exec(5)). */
function escaped(value: string): string {
  return value.replace(/["\\$`]/g, '\\$&');
}

async function valuesOf(
  api: ApiServer,
  { namespace }: StandInService,
  kind: 'configmaps' | 'secrets',
  name: string,
): Promise<Map<string, Uint8Array> | undefined> {
  const path = `/api/v1/namespaces/${namespace}/${kind}/${name}`;
  try {
    const { data } = await api.get(path, kind === 'secrets' ? Secret : ConfigMap);
    const encoding = kind === 'secrets' ? 'base64' : 'utf8';
    return new Map(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, encoding)]));
  } catch (error) {
    if (error instanceof NotThere) return undefined;
    throw error;
  }
}
