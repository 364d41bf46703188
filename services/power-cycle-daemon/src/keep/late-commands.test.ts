/** Devices that carry out commands long after they were told, in their order: what reads on may be about to go off. */

import type { DriverKind } from '@skolo/equipment/models/outlets';
import { DeviceTimeout } from '@skolo/equipment/transports';
import { describe, expect, it } from 'vitest';
import { startDaemon } from '../testing/daemon.ts';

const yaml = `
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.1 }
machines:
  a: { kind: host, power: pdu-1/1, offSeconds: 0.5 }
`;

/** A switch that takes longer to commit than anybody waits: its commands are carried out once it is let go. */
function slowKind() {
  const on = new Map([['1', true]]);
  let letGo: () => void = () => undefined;
  let queue = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const tell = async (outlet: string, state: boolean) => {
    queue = queue.then(() => void on.set(outlet, state));
    if (!state) throw new DeviceTimeout('pdu-1', '"commit" did not finish within 20 s');
  };
  const kind: DriverKind = {
    model: 'apc-rpdu',
    automaticRepair: true,
    create: () => ({
      read: async (outlets) =>
        new Map(outlets.map((each) => [each, { state: on.get(each) ? 'on' : 'off' }])),
      turnOff: (outlet) => tell(outlet, false),
      turnOn: (outlet) => tell(outlet, true),
      close: async () => undefined,
    }),
  };
  async function finish(): Promise<void> {
    letGo();
    await queue;
  }
  return { drivers: new Map([[kind.model, kind]]), on, finish };
}

describe('an outlet that obeys an off only after the last reading', () => {
  it('is turned on again, though it still reads on', async () => {
    const { drivers, on, finish } = slowKind();
    const daemon = await startDaemon({ yaml, drivers });
    const [cycle] = await daemon.cycle('a');
    await finish();

    expect(cycle).toMatchObject({ outcome: 'failed', failedStep: 'turn-off' });
    expect(on.get('1')).toBe(true);
  });
});
