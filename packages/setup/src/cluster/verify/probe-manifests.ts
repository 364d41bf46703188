/** Objects that `verify` creates in a cluster for a minute: a pod on each node, a service, an ingress, a volume. */
import { z } from 'zod';
import type { Kubectl } from '../kubectl.ts';

export const namespace = 'skolo-verify';
export const port = 8080;
export const ingressHost = 'verify.skolo.internal';
export const storagePod = 'storage';

/** Used if the cluster does not contain such an image. Pinned by tag, because its digest could not be looked up. */
const publicImage = 'docker.io/library/busybox:1.37.0';
const Helper = z.object({ data: z.record(z.string(), z.string()) });

/**
 * The busybox image that k3s's storage uses for its own pods, which is available even without an internet connection.
 * Source: k3s, manifests/local-storage.yaml.
 */
export async function probeImage(kubectl: Kubectl): Promise<string> {
  const args = ['get', 'configmap', 'local-path-config', '-n', 'kube-system', '-o', 'json'];
  const { code, stdout } = await kubectl.try(args);
  if (code !== 0) return publicImage;
  const { data } = Helper.parse(JSON.parse(stdout));
  const [, image] = /image: *"?([^\s"]+)/.exec(data['helperPod.yaml'] ?? '') ?? [];
  return image ?? publicImage;
}

const labels = { app: 'probe' };

function podSpec(image: string, more: object = {}) {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 1,
    tolerations: [{ operator: 'Exists' }],
    ...more,
    containers: [
      {
        name: 'probe',
        image,
        command: [
          'sh',
          '-c',
          `mkdir -p /tmp/www && echo skolo > /tmp/www/index.html && exec httpd -f -p ${port} -h /tmp/www`,
        ],
        resources: { requests: { cpu: '1m', memory: '4Mi' }, limits: { memory: '32Mi' } },
        ...('volumes' in more && { volumeMounts: [{ name: 'data', mountPath: '/data' }] }),
      },
    ],
  };
}

/** A list for `kubectl apply`. */
export function probeManifests(
  image: string,
  { hasIngress, hasStorage }: { hasIngress: boolean; hasStorage: boolean },
): string {
  const metadata = (name: string) => ({ name, namespace });
  const items: object[] = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: metadata('probe'),
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: podSpec(image) },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadata('probe'),
      spec: { selector: labels, ports: [{ port, targetPort: port }] },
    },
  ];
  if (hasIngress) {
    const backend = { service: { name: 'probe', port: { number: port } } };
    items.push({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: metadata('probe'),
      spec: {
        rules: [
          { host: ingressHost, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } },
        ],
      },
    });
  }
  if (hasStorage) {
    items.push(
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: metadata(storagePod),
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '16Mi' } } },
      },
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: metadata(storagePod),
        spec: podSpec(image, {
          volumes: [{ name: 'data', persistentVolumeClaim: { claimName: storagePod } }],
        }),
      },
    );
  }
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}
