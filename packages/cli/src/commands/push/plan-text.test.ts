import type { PreparedRack } from '@skolo/fleet/push';
import { expect, it } from 'vitest';
import { planJson } from './plan-text.ts';

const named = (kind: string, name: string) => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, namespace: 'skolo' },
});
const kept = { changes: [], setBack: [], added: [] };

it('has what differs of a rack as data', () => {
  const rack: PreparedRack = {
    name: 'rack4',
    preparation: {
      plan: {
        objects: [
          { ...kept, key: 'a', wanted: named('ConfigMap', 'same'), action: 'keep' },
          { ...kept, key: 'b', wanted: named('ConfigMap', 'new'), action: 'create' },
          {
            ...kept,
            key: 'c',
            wanted: named('Service', 'metadata'),
            action: 'change',
            changes: [{ path: 'spec.port', from: 80, to: 81 }],
          },
        ],
        deletions: [named('Secret', 'old')],
        unhealthy: [],
        silent: [],
        held: [],
      },
      pins: [
        { name: 'skolo/metadata-server', repository: 'registry/metadata-server', tag: '2' },
        { name: 'skolo/router-backup', repository: 'registry/router-backup', tag: '1' },
      ],
      previous: [
        { name: 'skolo/metadata-server', repository: 'registry/metadata-server', tag: '1' },
        { name: 'skolo/router-backup', repository: 'registry/router-backup', tag: '1' },
      ],
    },
  };

  expect(planJson(rack)).toEqual({
    rack: 'rack4',
    versions: [{ image: 'skolo/metadata-server', from: '1', to: '2' }],
    objects: [
      { object: 'ConfigMap skolo/new', action: 'create', changes: [] },
      {
        object: 'Service skolo/metadata',
        action: 'change',
        changes: [{ path: 'spec.port', from: 80, to: 81 }],
      },
    ],
    deletions: ['Secret skolo/old'],
  });
  expect(planJson({ name: 'rack5', problem: new Error('rack5: no route') })).toEqual({
    rack: 'rack5',
    problem: 'rack5: no route',
  });
});
