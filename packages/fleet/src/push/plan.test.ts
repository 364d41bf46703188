import { describe, expect, it } from 'vitest';
import { KubeObject } from './objects.ts';
import { adopted, leftOvers, planObject } from './plan.ts';
import { renderOverlay } from './prepare.ts';

function service(spec: object, managers: Record<string, object>, more: object = {}): KubeObject {
  const managedFields = Object.entries(managers).map(([manager, fieldsV1]) => {
    return { manager, operation: 'Update', fieldsV1 };
  });
  const metadata = { name: 'one', namespace: 'skolo', managedFields, ...more };
  return KubeObject.parse({ apiVersion: 'v1', kind: 'Service', metadata, spec });
}

const port = { 'f:spec': { 'f:port': {} } };
const wanted = KubeObject.parse({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'one', namespace: 'skolo' },
  spec: { port: 2 },
});

describe('planObject', () => {
  it('finds our change, and the way back', () => {
    const plan = planObject(
      wanted,
      service({ port: 1, ip: '10.0.0.1' }, { skolo: port }),
      service({ port: 2, ip: '10.0.0.1' }, { skolo: port }),
    );

    expect(plan).toMatchObject({
      action: 'change',
      changes: [{ path: 'spec.port', from: 1, to: 2 }],
      setBack: [],
      before: { kind: 'Service', metadata: { name: 'one', namespace: 'skolo' }, spec: { port: 1 } },
    });
    expect(plan.before?.spec).not.toHaveProperty('ip');
  });

  it('keeps what a hand set for the way back, too', () => {
    const plan = planObject(
      wanted,
      service({ port: 1 }, { skolo: {}, 'kubectl-edit': port }),
      service({ port: 2 }, { skolo: port }),
    );

    expect(plan).toMatchObject({
      changes: [],
      setBack: [{ path: 'spec.port', writtenBy: 'kubectl-edit' }],
      before: { spec: { port: 1 } },
    });
  });

  it('takes kubectl apply of before for ours', () => {
    const same = service(
      { port: 2 },
      { 'kubectl-client-side-apply': port },
      {
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
      },
    );

    const plan = planObject(wanted, same, service({ port: 2 }, { skolo: port }));

    expect(plan.action).toBe('keep');
    expect(plan.before?.metadata.annotations).toBeUndefined();
  });

  it('does not take the work of controllers for changes by hand', () => {
    const status = { 'f:metadata': { 'f:annotations': { 'f:revision': {} } } };
    const managers = { skolo: port, 'kube-controller-manager': status, 'kubectl-rollout': status };
    const live = service({ port: 2 }, managers, { annotations: { revision: '7' } });

    expect(planObject(wanted, live, live)).toMatchObject({ action: 'keep', added: [] });
  });
});

describe('adopted', () => {
  const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
  const csa = {
    ...port,
    'f:metadata': { 'f:annotations': { [`f:${annotation}`]: {}, 'f:own': {} } },
  };

  it('makes us the owner of what kubectl apply made, and of nothing else', () => {
    const managers = {
      'kubectl-client-side-apply': csa,
      'kubectl-set': { 'f:spec': { 'f:x': {} } },
    };
    const annotations = { [annotation]: '{}', own: '1' };

    expect(adopted(service({}, managers, { annotations }))?.metadata).toMatchObject({
      annotations: { own: '1' },
      managedFields: [
        {
          manager: 'skolo',
          operation: 'Apply',
          fieldsV1: { ...port, 'f:metadata': { 'f:annotations': { 'f:own': {} } } },
        },
        { manager: 'kubectl-set', operation: 'Update' },
      ],
    });
  });

  it.each(['kubectl-client-side-apply', 'kubectl'])(
    'leaves what %s set after a push to its person',
    (manager) => {
      const own = { 'f:metadata': { 'f:annotations': { 'f:own': {} } } };
      const live = service(
        { port: 2 },
        { skolo: port, [manager]: own },
        { annotations: { own: '1' } },
      );

      expect(adopted(live)).toBeUndefined();
      expect(planObject(wanted, live, live)).toMatchObject({
        action: 'keep',
        added: [{ path: 'metadata.annotations.own', writtenBy: manager }],
      });
    },
  );

  it('has nothing to do with objects of ours', () => {
    expect(adopted(service({}, { skolo: port }))).toBeUndefined();
  });
});

const labels = { 'app.kubernetes.io/part-of': 'skolo' };
it.each([
  ['one of ours that left', service({}, { skolo: port }, { labels }), 1],
  ['one that somebody labelled', service({}, { 'kubectl-create': port }, { labels }), 0],
  ['one without the label', service({}, { skolo: port }), 0],
  ['a Secret', { ...service({}, { skolo: port }, { labels }), kind: 'Secret' }, 0],
  ['a claim', { ...service({}, { skolo: port }, { labels }), kind: 'PersistentVolumeClaim' }, 0],
  ['a Namespace', { ...service({}, { skolo: port }, { labels }), kind: 'Namespace' }, 0],
])('leftOvers: %s', (_, object, count) => {
  expect(leftOvers([object], [])).toHaveLength(count);
  expect(leftOvers([object], [object])).toHaveLength(0);
});

it.each([
  ['kubectl 1.30 wrote it', '', 'skolo'],
  ['it belongs to another project', ', labels: { app.kubernetes.io/part-of: other }', 'other'],
])('an object of an overlay has a label with its owner, if %s', async (_, given, owner) => {
  const text = `{ apiVersion: v1, kind: ConfigMap, metadata: { name: rack, namespace: skolo${given} } }`;
  const rack = { name: 'rack4', kubectl: async () => text };

  const [object] = await renderOverlay(rack, 'kube/racks/rack4');

  expect(object?.metadata.labels).toEqual({ 'app.kubernetes.io/part-of': owner });
});
