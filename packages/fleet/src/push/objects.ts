/** Kubernetes objects, as kustomize writes them and as the cluster returns them. */
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

export const FieldOwner = z.looseObject({
  manager: z.string(),
  operation: z.string(),
  subresource: z.string().optional(),
  /** Of its last change, by the API server's clock, to the second. */
  time: z.string().optional(),
  fieldsV1: z.record(z.string(), z.unknown()).default({}),
});
export type FieldOwner = z.infer<typeof FieldOwner>;

export const KubeObject = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
    /** It is being deleted, and stays until its finalizers are removed. */
    deletionTimestamp: z.string().optional(),
    finalizers: z.array(z.string()).optional(),
    managedFields: z.array(FieldOwner).optional(),
  }),
});
export type KubeObject = z.infer<typeof KubeObject>;

const Expression = z.object({
  key: z.string(),
  operator: z.string(),
  values: z.array(z.string()).default([]),
});
export type Expression = z.infer<typeof Expression>;

const Container = z.object({ image: z.string().default('') });
const strings = z.record(z.string(), z.string()).default({});

const Workload = z.object({
  spec: z.object({
    template: z.object({
      metadata: z.object({ labels: strings }).prefault({}),
      spec: z.object({
        containers: z.array(Container).default([]),
        initContainers: z.array(Container).default([]),
        nodeSelector: strings,
        terminationGracePeriodSeconds: z.number().default(30),
        affinity: z
          .object({
            nodeAffinity: z
              .object({
                requiredDuringSchedulingIgnoredDuringExecution: z
                  .object({
                    nodeSelectorTerms: z.array(
                      z.object({ matchExpressions: z.array(Expression).default([]) }),
                    ),
                  })
                  .optional(),
              })
              .optional(),
          })
          .optional(),
      }),
    }),
  }),
});

const Answer = z.union([
  z.object({ kind: z.literal('List'), items: z.array(KubeObject) }).transform(({ items }) => items),
  KubeObject.transform((object) => [object]),
]);

/** Documents of a YAML text, read as Kubernetes reads them. */
export function readObjects(yaml: string): KubeObject[] {
  return parseAllDocuments(yaml, { version: '1.1' }).flatMap((document) => {
    const [problem] = document.errors;
    if (problem) throw problem;
    const value: unknown = document.toJS();
    return value === null ? [] : [KubeObject.parse(value)];
  });
}

/** Output of `kubectl -o json`: a list, one object, or nothing. */
export function readAnswer(json: string): KubeObject[] {
  if (json.trim() === '') return [];
  return Answer.parse(JSON.parse(json));
}

/** Input for `kubectl -f -`. */
export function listText(items: readonly KubeObject[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}

/** The same in all versions of an API: `apps/Deployment skolo/prometheus`. */
export function keyOf({ apiVersion, kind, metadata }: KubeObject): string {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : 'core';
  return `${group}/${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
}

/** For people: `Deployment skolo/prometheus`. */
export function titleOf({ kind, metadata: { name, namespace } }: KubeObject): string {
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

export function isWorkload({ kind }: KubeObject): boolean {
  return kind === 'Deployment' || kind === 'DaemonSet';
}

/** The template of the pods that a Deployment or DaemonSet creates. */
export function templateOf(workload: KubeObject) {
  return Workload.parse(workload).spec.template;
}
