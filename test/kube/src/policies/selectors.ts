/** Labels find what they are meant to find. */
import { z } from 'zod';
import { isEndless, type Manifest, readKind, Selector, selects, workloadsOf } from '../manifest.ts';

const nameLabel = 'app.kubernetes.io/name';
/** Pods that a policy may select without their being in each build: of k3s, or of a component. */
const elsewhere = ['traefik', 'grafana'];

const ServiceSpec = z.looseObject({
  spec: z.looseObject({
    selector: z.record(z.string(), z.string()).optional(),
    ports: z
      .array(z.looseObject({ targetPort: z.union([z.number(), z.string()]).optional() }))
      .default([]),
  }),
});

/** Workloads select their own pods and no others; a Service has pods, and they have the ports that it names. */
export function selectorProblems(objects: readonly Manifest[]): string[] {
  const workloads = workloadsOf(objects);
  const ofWorkloads = workloads
    .filter(isEndless)
    .flatMap(({ title, namespace, labels, spec: { selector } }) => {
      if (selector === undefined) return [`${title}: no selector`];
      if (!selects(selector, labels)) return [`${title}: does not select its own pods`];
      return workloads
        .filter((other) => other.title !== title && other.namespace === namespace)
        .filter((other) => selects(selector, other.labels))
        .map((other) => `${title}: selects the pods of ${other.title}, too`);
    });
  const ofServices = readKind(objects, 'Service', ServiceSpec).flatMap(
    ({ title, namespace, read: { spec } }) => {
      const { selector, ports } = spec;
      if (selector === undefined) return [`${title}: no selector`];
      const found = workloads.filter(
        (workload) =>
          workload.namespace === namespace && selects({ matchLabels: selector }, workload.labels),
      );
      if (found.length === 0) return [`${title}: no pod has its labels`];
      // A number need not be declared: rack.yaml turns on some.
      return ports
        .filter(({ targetPort }) => typeof targetPort === 'string')
        .flatMap(({ targetPort }) =>
          found
            .filter(
              ({ pod }) =>
                !pod.containers.some(({ ports }) => ports.some(({ name }) => name === targetPort)),
            )
            .map((workload) => `${title}: ${workload.title} has no port ${targetPort}`),
        );
    },
  );
  return [...ofWorkloads, ...ofServices];
}

const PolicySpec = z.looseObject({
  spec: z.looseObject({ podSelector: z.looseObject({}) }),
});

/** A policy that names pods that do not exist allows less, or more, than its author thinks. */
export function policySelectorProblems(objects: readonly Manifest[]): string[] {
  const names = new Set([
    ...workloadsOf(objects).map(({ labels }) => labels[nameLabel]),
    ...elsewhere,
  ]);
  return readKind(objects, 'NetworkPolicy', PolicySpec).flatMap(({ title, read }) =>
    [...new Set(namesIn(read.spec))]
      .filter((name) => !names.has(name))
      .map((name) => `${title}: no pod is called ${name}`),
  );
}

/** Every pod of a namespace is under its default-deny. */
export function defaultDenyProblems(objects: readonly Manifest[]): string[] {
  const Deny = z.looseObject({
    spec: z.strictObject({
      podSelector: z.strictObject({}),
      policyTypes: z.array(z.string()),
    }),
  });
  const denied = objects
    .filter(({ kind }) => kind === 'NetworkPolicy')
    .flatMap((object) => {
      const { data } = Deny.safeParse(object);
      return data ? [{ namespace: object.metadata.namespace, types: data.spec.policyTypes }] : [];
    });
  const wanted = { skolo: ['Ingress', 'Egress'], 'skolo-node': ['Ingress'] };
  return Object.entries(wanted).flatMap(([namespace, types]) =>
    types
      .filter(
        (type) => !denied.some((each) => each.namespace === namespace && each.types.includes(type)),
      )
      .map((type) => `Namespace ${namespace}: no policy denies all ${type}`),
  );
}

function namesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) => [
    ...(key.endsWith('odSelector') ? ofSelector(Selector.parse(item)) : []),
    ...namesIn(item),
  ]);
}

function ofSelector({ matchLabels = {}, matchExpressions = [] }: Selector): string[] {
  return [
    ...(matchLabels[nameLabel] === undefined ? [] : [matchLabels[nameLabel]]),
    ...matchExpressions.filter(({ key }) => key === nameLabel).flatMap(({ values = [] }) => values),
  ];
}
