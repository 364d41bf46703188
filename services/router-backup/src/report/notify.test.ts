import type { Version } from '@skolo/backup';
import { expect, it } from 'vitest';
import type { RunRecord } from '../state.ts';
import { notify } from './notify.ts';
import type { WebhookEvent } from './webhook.ts';

const run: RunRecord = {
  id: 'r1',
  number: 1,
  origin: 'schedule',
  by: 'schedule',
  requestedAt: '2026-11-20T03:15:00Z',
  devices: [],
};

function version(device: string, model: string, id: string): Version {
  return { id, device, model, time: '2026-11-20T03:15:00Z', size: 5 };
}

it('reports a change of a device, but no archive of the jumphost, which always differs', async () => {
  const sent: WebhookEvent[] = [];
  const deps = {
    webhook: { send: (event: WebhookEvent) => void sent.push(event), wants: () => true },
    readable: { diff: async () => '-a\n+b\n' },
    log: { warn: () => undefined },
  };

  for (const [device, model] of [
    ['jumphost-rack4', 'jumphost'],
    ['router', 'frr'],
  ] as const) {
    const [before, after] = [version(device, model, 'a'), version(device, model, 'b')];
    const outcome = { result: 'changed', seconds: 1, before, after } as const;
    await notify({ type: 'device-done', run, device, outcome }, deps);
  }

  expect(sent).toMatchObject([{ kind: 'change', device: 'router', diff: '-a\n+b\n' }]);
});
