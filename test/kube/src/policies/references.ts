/** Everything that is named is there. */
import { serviceNames } from '@skolo/rack';
import { z } from 'zod';
import {
  containersOf,
  type Manifest,
  readKind,
  titleOf,
  type Workload,
  workloadsOf,
} from '../manifest.ts';

/** Secrets are made by hand, never in git: see kube/README.md. Namespace and name of each. */
export const declaredSecrets: ReadonlyMap<string, string> = new Map([
  ...serviceNames
    .filter((name) => name !== 'swarming-client')
    .map((name) => {
      const namespace = name === 'metadata-server' ? 'skolo-node' : 'skolo';
      return [`${namespace}/${name}`, 'secrets of rack.yaml that it uses'] as const;
    }),
  ['skolo-node/adb-key', 'the key that phones have accepted'],
  ['skolo/prometheus', 'tokens for its targets'],
  ['skolo/alertmanager', 'tokens for its receivers'],
  ['skolo/remote-write', 'the token for the Prometheus elsewhere'],
  ['skolo/apps-users', 'who may sign in at apps-by-name'],
]);

const builtInPriorities = new Set(['system-cluster-critical', 'system-node-critical']);

interface Reference {
  kind: 'ConfigMap' | 'Secret' | 'PersistentVolumeClaim' | 'ServiceAccount' | 'PriorityClass';
  name: string;
  optional: boolean;
}

/** What a pod names. */
export function referencesOf(workload: Workload): Reference[] {
  const { pod } = workload;
  const references: Reference[] = [];
  function add(kind: Reference['kind'], name: string | undefined, optional = false): void {
    if (name !== undefined) references.push({ kind, name, optional });
  }
  for (const volume of pod.volumes) {
    add('ConfigMap', volume.configMap?.name, volume.configMap?.optional);
    add('Secret', volume.secret?.secretName, volume.secret?.optional);
    add('PersistentVolumeClaim', volume.persistentVolumeClaim?.claimName);
    for (const { configMap, secret } of volume.projected?.sources ?? []) {
      add('ConfigMap', configMap?.name, configMap?.optional);
      add('Secret', secret?.name, secret?.optional);
    }
  }
  for (const { env, envFrom } of containersOf(workload)) {
    for (const { valueFrom } of env) {
      add('ConfigMap', valueFrom?.configMapKeyRef?.name, valueFrom?.configMapKeyRef?.optional);
      add('Secret', valueFrom?.secretKeyRef?.name, valueFrom?.secretKeyRef?.optional);
    }
    for (const { configMapRef, secretRef } of envFrom) {
      add('ConfigMap', configMapRef?.name, configMapRef?.optional);
      add('Secret', secretRef?.name, secretRef?.optional);
    }
  }
  for (const { name } of pod.imagePullSecrets) add('Secret', name);
  add('ServiceAccount', pod.serviceAccountName ?? 'default');
  add('PriorityClass', pod.priorityClassName);
  return references;
}

/** What a pod names has to be in the build, or a declared Secret, which may be missing: a pod starts without it. */
export function referenceProblems(objects: readonly Manifest[]): string[] {
  const there = new Set(
    objects.map(({ kind, metadata: { name, namespace = '' } }) => `${kind} ${namespace}/${name}`),
  );
  const ofPods = workloadsOf(objects).flatMap((workload) => {
    const { title, namespace } = workload;
    return referencesOf(workload).flatMap(({ kind, name, optional }) => {
      switch (kind) {
        case 'Secret':
          if (!declaredSecrets.has(`${namespace}/${name}`)) {
            return [
              `${title}: the Secret ${name} is not a declared one (test/kube, references.ts)`,
            ];
          }
          return optional ? [] : [`${title}: would not start without the Secret ${name}: optional`];
        case 'PriorityClass':
          return builtInPriorities.has(name) || there.has(`${kind} /${name}`)
            ? []
            : [`${title}: no ${kind} ${name}`];
        default:
          // Kubernetes makes that one in every namespace.
          if (kind === 'ConfigMap' && name === 'kube-root-ca.crt') return [];
          return there.has(`${kind} ${namespace}/${name}`) ? [] : [`${title}: no ${kind} ${name}`];
      }
    });
  });
  return [...ofPods, ...volumeProblems(objects, there), ...ingressProblems(objects, there)];
}

/** What configurations name by the cluster's DNS is a Service with that port: an error there shows only as silence. */
export function serviceNameProblems(objects: readonly Manifest[]): string[] {
  const services = readKind(objects, 'Service', ServicePorts);
  return objects
    .filter(({ kind }) => kind === 'ConfigMap')
    .flatMap((object) =>
      [
        ...JSON.stringify(object).matchAll(/([a-z0-9-]+)\.([a-z0-9-]+)\.svc\b[.a-z]*(?::(\d+))?/g),
      ].flatMap(([found, name, namespace, port]) =>
        services.some(
          (service) =>
            service.name === name &&
            service.namespace === namespace &&
            (port === undefined ||
              service.read.spec.ports.some((each) => each.port === Number(port))),
        )
          ? []
          : [`${titleOf(object)}: no Service ${found}`],
      ),
    );
}

const VolumeSpec = z.looseObject({
  spec: z.looseObject({
    /** Without one, the cluster's default makes a volume for the claim. */
    storageClassName: z.string().optional(),
    volumeName: z.string().optional(),
    claimRef: z.looseObject({ namespace: z.string(), name: z.string() }).optional(),
  }),
});

/** A claim and its volume are made for each other. */
function volumeProblems(objects: readonly Manifest[], there: ReadonlySet<string>): string[] {
  const volumes = readKind(objects, 'PersistentVolume', VolumeSpec);
  const claims = readKind(objects, 'PersistentVolumeClaim', VolumeSpec).filter(
    ({ read: { spec } }) => spec.storageClassName !== undefined,
  );
  return [
    ...[...volumes, ...claims].flatMap(({ title, read: { spec } }) =>
      there.has(`StorageClass /${spec.storageClassName}`)
        ? []
        : [`${title}: no StorageClass ${spec.storageClassName}`],
    ),
    ...claims.flatMap(({ title, name, namespace, read: { spec } }) => {
      const volume = volumes.find((each) => each.name === spec.volumeName);
      const { claimRef } = volume?.read.spec ?? {};
      return claimRef?.name === name && claimRef.namespace === namespace
        ? []
        : [`${title}: no PersistentVolume ${spec.volumeName ?? 'named'} that is kept for it`];
    }),
  ];
}

const IngressSpec = z.looseObject({
  spec: z.looseObject({
    rules: z.array(
      z.looseObject({
        http: z.looseObject({
          paths: z.array(
            z.looseObject({
              backend: z.looseObject({
                service: z.looseObject({
                  name: z.string(),
                  port: z.looseObject({
                    name: z.string().optional(),
                    number: z.number().optional(),
                  }),
                }),
              }),
            }),
          ),
        }),
      }),
    ),
  }),
});

const ServicePorts = z.looseObject({
  spec: z.looseObject({
    ports: z.array(z.looseObject({ name: z.string().optional(), port: z.number() })).default([]),
  }),
});

const Middleware = z.looseObject({
  spec: z.looseObject({ basicAuth: z.looseObject({ secret: z.string() }).optional() }),
});

/** An Ingress leads to a Service and through middlewares that exist. */
function ingressProblems(objects: readonly Manifest[], there: ReadonlySet<string>): string[] {
  const services = readKind(objects, 'Service', ServicePorts);
  const ofIngresses = readKind(objects, 'Ingress', IngressSpec).flatMap(
    ({ object, title, namespace, read }) => [
      ...read.spec.rules.flatMap(({ http }) =>
        http.paths.flatMap(({ backend: { service: wanted } }) => {
          const service = services.find(
            (each) => each.name === wanted.name && each.namespace === namespace,
          );
          if (!service) return [`${title}: no Service ${wanted.name}`];
          const found = service.read.spec.ports.some(
            ({ name, port }) => name === wanted.port.name || port === wanted.port.number,
          );
          return found
            ? []
            : [`${title}: ${service.title} has no port ${wanted.port.name ?? wanted.port.number}`];
        }),
      ),
      ...(object.metadata.annotations?.['traefik.ingress.kubernetes.io/router.middlewares'] ?? '')
        .split(',')
        .filter((reference) => reference !== '')
        .filter((reference) => {
          const name = reference.replace(`${namespace}-`, '').replace('@kubernetescrd', '');
          return !there.has(`Middleware ${namespace}/${name}`);
        })
        .map((reference) => `${title}: no Middleware ${reference}`),
    ],
  );
  const ofMiddlewares = readKind(objects, 'Middleware', Middleware).flatMap(
    ({ title, namespace, read: { spec } }) =>
      spec.basicAuth && !declaredSecrets.has(`${namespace}/${spec.basicAuth.secret}`)
        ? [`${title}: the Secret ${spec.basicAuth.secret} is not a declared one`]
        : [],
  );
  return [...ofIngresses, ...ofMiddlewares];
}
