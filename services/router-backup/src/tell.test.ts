import type { Version } from '@skolo/backup';
import { expect, it } from 'vitest';
import type { RunRecord } from './records.ts';
import { Teller } from './tell.ts';
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

it('tells what changed in a device, and nothing of the archive of the jumphost, which changes each time', async () => {
  const told: WebhookEvent[] = [];
  const teller = new Teller({
    webhook: { send: (event) => void told.push(event), wants: () => true },
    readable: { diff: async () => '-a\n+b\n' },
    log: { warn: () => undefined },
  });

  for (const [device, model] of [
    ['jumphost-rack4', 'jumphost'],
    ['router', 'frr'],
  ] as const) {
    const [before, after] = [version(device, model, 'a'), version(device, model, 'b')];
    await teller.outcome(run, device, { result: 'changed', seconds: 1, before, after });
  }

  expect(told).toMatchObject([{ kind: 'change', device: 'router', diff: '-a\n+b\n' }]);
});
