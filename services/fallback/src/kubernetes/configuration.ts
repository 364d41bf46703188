/** Copies the configuration of the units from k3s, so that it is on the disk when k3s is not there. */
import { z } from 'zod';
import { configurationOf, type FallbackService } from '../units/services.ts';
import type { ApiServer } from './api-server.ts';
import { type Files, writeFolder } from './folder-version.ts';
import { deploymentPath } from './kubernetes.ts';

/** The volume that kube/ mounts at /etc/skolo. */
const volumeName = 'etc-skolo';

const optional = z.boolean().default(false);
const Source = z.object({
  name: z.string(),
  items: z.array(z.object({ key: z.string(), path: z.string() })).optional(),
  optional,
});
type Source = z.output<typeof Source>;
const Variable = z.object({
  name: z.string(),
  valueFrom: z
    .object({
      secretKeyRef: z.object({ name: z.string(), key: z.string(), optional }).optional(),
    })
    .optional(),
});
const Sources = z.array(z.object({ configMap: Source.optional(), secret: Source.optional() }));
const Deployment = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.array(z.object({ env: z.array(Variable).default([]) })).min(1),
        volumes: z
          .array(
            z.object({ name: z.string(), projected: z.object({ sources: Sources }).optional() }),
          )
          .default([]),
      }),
    }),
  }),
});
const Values = z.object({ data: z.record(z.string(), z.string()).default({}) });

/** True when anything was written. Throws an error for people; the files on the disk stay then. */
export async function copyConfiguration(
  api: ApiServer,
  service: FallbackService,
): Promise<boolean> {
  const files = await projectedFiles(api, service);
  return await writeFolder(configurationOf(service), files, service.gid);
}

/** The files that the kubelet puts into /etc/skolo of a pod. Throws where the kubelet would wait for something missing. */
export async function projectedFiles(api: ApiServer, service: FallbackService): Promise<Files> {
  const deployment = await api.get(deploymentPath(service), Deployment);
  if (deployment === undefined) throw new Error('k3s has no Deployment for this service');
  const { volumes, containers } = deployment.spec.template.spec;
  const sources = volumes.find(({ name }) => name === volumeName)?.projected?.sources;
  if (sources === undefined)
    throw new Error(`the Deployment has no projected volume ${volumeName}`);
  const values = (kind: Kind, name: string) => valuesOf(api, service, kind, name);
  const files: Files = new Map();
  for (const { configMap, secret } of sources) {
    if (configMap !== undefined) {
      place(files, configMap, await values('configmaps', configMap.name), 'ConfigMap');
    }
    if (secret !== undefined) place(files, secret, await values('secrets', secret.name), 'Secret');
  }
  let environment = '';
  for (const { name, valueFrom } of containers[0]?.env ?? []) {
    const ref = valueFrom?.secretKeyRef;
    if (ref === undefined) continue;
    const value = (await values('secrets', ref.name))?.get(ref.key);
    // In double quotes of an EnvironmentFile (systemd.exec(5)).
    const escaped = value?.toString().replace(/["\\$`]/g, '\\$&');
    if (escaped !== undefined) environment += `${name}="${escaped}"\n`;
    else if (!ref.optional) throw new Error(`Secret ${ref.name} has no key ${ref.key}`);
  }
  if (environment !== '') files.set('environment', Buffer.from(environment));
  return files;
}

type Kind = 'configmaps' | 'secrets';

async function valuesOf(
  api: ApiServer,
  { namespace }: FallbackService,
  kind: Kind,
  name: string,
): Promise<Map<string, Buffer> | undefined> {
  const found = await api.get(`/api/v1/namespaces/${namespace}/${kind}/${name}`, Values);
  if (found === undefined) return undefined;
  const encoding = kind === 'secrets' ? 'base64' : 'utf8';
  return new Map(
    Object.entries(found.data).map(([key, value]) => [key, Buffer.from(value, encoding)]),
  );
}

function place(
  files: Files,
  { name, items, optional: isOptional }: Source,
  values: Map<string, Buffer> | undefined,
  kind: 'ConfigMap' | 'Secret',
): void {
  if (values === undefined && !isOptional) throw new Error(`k3s has no ${kind} ${name}`);
  const wanted = items ?? [...(values?.keys() ?? [])].map((key) => ({ key, path: key }));
  for (const { key, path } of wanted) {
    // The API server rejects such a path, too. But it is root who writes here.
    if (!/^(?!\.\.)[^/]+(\/(?!\.\.)[^/]+)*$/.test(path) || path.split('/').includes('.')) {
      throw new Error(`${kind} ${name} contains the path ${path}, which is outside the directory`);
    }
    const value = values?.get(key);
    if (value !== undefined) files.set(path, value);
    else if (!isOptional) throw new Error(`${kind} ${name} has no key ${key}`);
  }
}
