import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peer } from '@skolo/simulators';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { objectsOf } from '../testing/derived.ts';
import { smallRack } from '../testing/example.ts';
import { compareDerived, writeDerived } from './derived-folder.ts';
import { renderDerived } from './render.ts';

/** As much of a base as the patches care about; no power-cycle-daemon, as if a rack had none. */
const base = `apiVersion: apps/v1
kind: Deployment
metadata: { name: router-backup, namespace: skolo, labels: { app.kubernetes.io/name: router-backup } }
spec:
  template:
    spec:
      containers:
        - name: router-backup
          image: router-backup
          env: [{ name: RACK, valueFrom: { configMapKeyRef: { name: rack-facts, key: SKOLO_RACK_NAME } } }]
      volumes:
        - name: etc-skolo
          projected: { defaultMode: 288, sources: [{ configMap: { name: rack } }] }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: swarming-client-canary, namespace: skolo-node, labels: { app.kubernetes.io/name: swarming-client } }
spec:
  template:
    spec:
      terminationGracePeriodSeconds: 3750
      containers:
        - name: swarming-client
          image: swarming-client
          volumeMounts: [{ name: usb, mountPath: /dev/bus/usb }]
      volumes: [{ name: usb, hostPath: { path: /dev/bus/usb } }]
---
apiVersion: v1
kind: Service
metadata: { name: router-backup, namespace: skolo }
spec:
  ports: [{ name: http, port: 8003, targetPort: http }]
`;

const rack = smallRack(`access: { tokens: { file: secrets/tokens.yaml } }
services:
  router-backup: { notices: { syslogPort: 514 }, webhook: { url: "https://example.com", token: { env: HOOK } } }
  power-cycle-daemon: { endpoints: { pdudaemon: { allow: [192.168.1.0/24] } } }
`);

describe('the derived component in an overlay', () => {
  const kubectl = peer('kubectl') ?? '';
  let folder: string;
  beforeEach(async (context) => {
    if (!kubectl) context.skip('kubectl is not installed');
    folder = await mkdtemp(join(tmpdir(), 'skolo-overlay-'));
    const derived = join(folder, 'derived');
    await mkdir(derived);
    await writeFile(join(folder, 'base.yaml'), base);
    await writeFile(
      join(folder, 'kustomization.yaml'),
      'resources: [base.yaml]\ncomponents: [derived]\n',
    );
    const { files } = renderDerived(rack);
    await writeDerived(derived, files, await compareDerived(derived, files));
  });
  afterEach(() => (folder ? rm(folder, { recursive: true }) : undefined));

  it('changes what is there, and does not mind what is not', () => {
    const built = execFileSync(kubectl, ['kustomize', folder], { encoding: 'utf8' });

    const objects = objectsOf(built);
    const hostAliases = [{ ip: '192.168.1.8', hostnames: ['jumphost.lan', 'jumphost'] }];
    const factsName = expect.stringMatching(/^rack-facts-[a-z0-9]{10}$/);
    expect(objects).toContainEqual(
      expect.objectContaining({
        kind: 'Service',
        spec: {
          ports: expect.arrayContaining([
            { name: 'http', port: 8003, targetPort: 'http' },
            { name: 'syslog', port: 514, targetPort: 514, protocol: 'UDP' },
          ]),
        },
      }),
    );
    const tokens = [{ key: 'tokens.yaml', path: 'secrets/tokens.yaml' }];
    expect(objects.find((object) => isOf(object, 'Deployment'))).toMatchObject({
      metadata: { name: 'router-backup' },
      spec: {
        template: {
          spec: {
            hostAliases,
            securityContext: { sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start' }] },
            containers: [
              {
                image: 'router-backup',
                env: [
                  { name: 'HOOK', valueFrom: { secretKeyRef: { optional: true } } },
                  { name: 'RACK', valueFrom: { configMapKeyRef: { name: factsName } } },
                ],
              },
            ],
            volumes: [
              {
                projected: {
                  defaultMode: 288,
                  sources: [
                    { configMap: { name: 'rack', items: [{ key: 'rack.yaml' }] } },
                    { secret: { name: 'router-backup', optional: true, items: tokens } },
                  ],
                },
              },
            ],
          },
        },
      },
    });
    expect(objects.find((object) => isOf(object, 'DaemonSet'))).toMatchObject({
      metadata: { name: 'swarming-client-canary' },
      spec: {
        template: {
          spec: {
            hostAliases,
            containers: [{ volumeMounts: [{ mountPath: '/b/s' }, { mountPath: '/dev/bus/usb' }] }],
            volumes: [{ hostPath: { path: '/b/s' } }, { hostPath: { path: '/dev/bus/usb' } }],
          },
        },
      },
    });
  });
});

function isOf(object: unknown, kind: string): boolean {
  return typeof object === 'object' && object !== null && Reflect.get(object, 'kind') === kind;
}
