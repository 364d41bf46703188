/** The agent of a machine asks what is under repair. */

import { newAgentKey } from '@skolo/base/secrets';
import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it } from 'vitest';
import { startDaemon, type TestDaemon } from '../testing/daemon.ts';
import { sendAsMachine } from '../testing/machine-request.ts';

const yaml = `
equipment:
  switch-1: { model: edgeswitch, address: 127.0.2.1 }
  pdu-1: { model: apc-rpdu, address: 127.0.2.3 }
machines:
  a:
    kind: rpi
    address: 127.0.1.1
    power: switch-1/1
    uplink: switch-1/1
    devices: [{ name: left, kind: android, power: usb/1-1.3.1 }, { name: right, kind: chromeos, power: pdu-1/1 }]
  b: { kind: rpi, address: 127.0.1.2, power: pdu-1/2 }
`;

const [keyA, keyB] = [newAgentKey(), newAgentKey()];

function ownHolds({ url }: TestDaemon, machine: 'a' | 'b') {
  const [from, key] = machine === 'a' ? ['127.0.1.1', keyA] : ['127.0.1.2', keyB];
  return sendAsMachine({ url, from, machine, key, path: '/v1/own-holds' });
}

describe('the agent of a machine', () => {
  it.each([
    ['it', 'a', 'a'],
    ['one of its phones', 'a-left', 'a-left'],
    ['the rack', 'rack1', 'rack1'],
    ['what it hangs on, which it is not told', 'switch-1', 'a'],
    ['what one of its phones hangs on', 'pdu-1', 'a'],
  ])('learns of a hold of %s', async (_, target, told) => {
    const daemon = await startDaemon({ yaml });
    const body = { targets: [target], reason: 'new cable' };
    const [hold] = (await daemon.client.hold({ body })).holds;

    expect(await ownHolds(daemon, 'a')).toEqual({
      status: 200,
      body: {
        holds: [{ target: told, by: daemon.who, until: hold?.until, reason: 'new cable' }],
        noRepair: [],
      },
    });
  });

  it.each([
    ['it', 'a'],
    ['one of its phones', 'a-left'],
  ])('learns of a job on %s, for at most 25 hours', async (_, name) => {
    const clock = fakeClock();
    const daemon = await startDaemon({ yaml, clock });
    const say = () => daemon.client.setBusy({ params: { name }, body: { text: 'nightly' } });
    const { until } = await say();

    const first = await ownHolds(daemon, 'a');
    const other = await ownHolds(daemon, 'b');
    for (let hours = 0; hours < 25; hours += 1) {
      clock.pass(3600_000);
      await say();
    }
    const late = await ownHolds(daemon, 'a');

    const noRepair = [{ kind: 'busy', by: daemon.who, until, reason: 'nightly' }];
    const none = { status: 200, body: { holds: [], noRepair: [] } };
    expect(first).toEqual({ status: 200, body: { holds: [], noRepair } });
    expect([other, late]).toEqual([none, none]);
  });

  it('learns who is on it', async () => {
    const daemon = await startDaemon({ yaml });
    const what = { kind: 'on-it' as const, incident: 'i-1' };
    await daemon.client.hold({ body: { targets: ['switch-1'], reason: 'fan', ...what } });

    expect(await ownHolds(daemon, 'a')).toMatchObject({
      body: { holds: [], noRepair: [{ kind: 'on-it', by: daemon.who, reason: 'fan' }] },
    });
  });

  it('learns nothing of others, and nothing of what is over', async () => {
    const clock = fakeClock();
    const daemon = await startDaemon({ yaml, clock });
    await daemon.client.hold({ body: { targets: ['a', 'switch-1'], reason: 'fan' } });

    const other = await ownHolds(daemon, 'b');
    clock.pass(24 * 3600_000);
    const later = await ownHolds(daemon, 'a');

    expect([other, later]).toEqual([
      { status: 200, body: { holds: [], noRepair: [] } },
      { status: 200, body: { holds: [], noRepair: [] } },
    ]);
  });
});
