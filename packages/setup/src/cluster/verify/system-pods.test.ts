import { expect, it } from 'vitest';
import type { Kubectl } from '../kubectl.ts';
import { systemPods } from './system-pods.ts';

function pod(namespace: string, name: string, restartCount: number) {
  const ready = restartCount === 0;
  const state = ready ? {} : { waiting: { reason: 'CrashLoopBackOff' } };
  return {
    metadata: { namespace, name },
    spec: { nodeName: 'host01', containers: [{ name: 'main' }] },
    status: { phase: 'Running', containerStatuses: [{ name: 'main', ready, restartCount, state }] },
  };
}

it('finds a crash loop of flannel in its own namespace, and leaves other pods alone', async () => {
  const items = [
    pod('kube-system', 'coredns', 0),
    pod('kube-flannel', 'kube-flannel-ds-x', 12),
    pod('default', 'of-a-person', 12),
  ];
  const kubectl: Kubectl = {
    run: async () => '',
    try: async () => ({ code: 0, stdout: '', stderr: '' }),
    get: async (schema) => schema.parse({ items }),
  };

  const found = await systemPods(kubectl);

  expect(found).toMatchObject([{ state: 'differs', where: ['host01'] }]);
  expect(found[0]?.found).toContain('kube-flannel-ds-x');
});
