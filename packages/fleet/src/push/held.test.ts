import { describe, expect, it } from 'vitest';
import { leaveHeld } from './held.ts';
import { type KubeObject, keyOf } from './objects.ts';

const why = 'failed over to powercycle.service by ann at 2026-11-20T07:30:00Z';

function namespace(annotations: Record<string, string> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'skolo', annotations } };
}

function deployment(name: string): KubeObject {
  const metadata = { name, namespace: 'skolo' };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 1, a: 1 } };
}

function service(annotations?: Record<string, string>): KubeObject {
  const metadata = {
    name: 'power-cycle-daemon',
    namespace: 'skolo',
    ...(annotations && { annotations }),
  };
  const spec = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', ports: [] };
  return { apiVersion: 'v1', kind: 'Service', metadata, spec };
}

function leave(wanted: KubeObject[], ...live: KubeObject[]) {
  return leaveHeld(wanted, new Map(live.map((each) => [keyOf(each), each])));
}

describe('a service that something else serves', () => {
  const held = namespace({ 'skolo/failed-over.power-cycle-daemon': why });

  it('stays without pods, also before it was ever pushed', () => {
    const wanted = [held, deployment('power-cycle-daemon'), deployment('router-backup')];

    const found = leave(wanted, held);

    expect(found.wanted.map(({ spec }) => spec)).toEqual([
      undefined,
      { replicas: 0, a: 1 },
      { replicas: 1, a: 1 },
    ]);
    expect(found.held).toEqual([`power-cycle-daemon: ${why}; it stays scaled to 0`]);
  });

  it('leaves its port to the host, and what it was for the way forward', () => {
    const lent = {
      'skolo/released-port': '{"type":"LoadBalancer","externalTrafficPolicy":"Local"}',
    };

    for (const live of [[held], [namespace(), service(lent)]]) {
      const [found] = leave([service()], ...live).wanted;

      expect(found?.spec).toEqual({ type: 'ClusterIP', ports: [] });
      expect(found?.metadata.annotations).toEqual(lent);
    }
  });

  it('is as git has it, otherwise', () => {
    const wanted = [namespace(), deployment('power-cycle-daemon'), service()];

    expect(leave(wanted, ...wanted)).toEqual({ wanted, held: [] });
  });
});
