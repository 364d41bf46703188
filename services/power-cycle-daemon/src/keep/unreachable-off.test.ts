/** Ports of a machine's hub that a person turned off, and outlets that a person wants on while nobody can reach them. */

import { OutletBoard } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import type { CreateUsbHub } from '../equipment/controllers.ts';
import { Boards } from '../testing/board-driver.ts';
import { startDaemon, type TestDaemon } from '../testing/daemon.ts';
import { waitUntil } from '../testing/wait-until.ts';

const yaml = `
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
  m: { kind: rpi, address: 127.0.1.9, power: pdu-1/1, swarming: { url: "http://127.0.1.9:9" }, device: { kind: android, power: usb/1-1.2 } }
`;
const often = '    readSeconds: 5\n    probeSeconds: { first: 0.1, most: 1 }';

/** Of the machine m. */
function hub(): { ports: OutletBoard; createUsbHub: CreateUsbHub } {
  const ports = new OutletBoard([['usb/1-1.2', { on: true, watts: 2 }]]);
  const createUsbHub: CreateUsbHub = () => ({
    read: async (outlets) =>
      new Map(outlets.map((port) => [port, { state: ports.isOn(port) ? 'on' : 'off' }])),
    turnOff: async (port) => ports.set(port, false),
    turnOn: async (port) => ports.set(port, true),
    close: async () => undefined,
  });
  return { ports, createUsbHub };
}

describe('a phone that a person turned off', () => {
  it('is turned off again after its machine has rebooted, by this daemon and by the next', async () => {
    const { ports, createUsbHub } = hub();
    const first = await startDaemon({ yaml, settings: often, createUsbHub });
    await first.turn('off', 'm-device');
    await isTurnedOffAgain(first);
    await first.stop();

    await isTurnedOffAgain(
      await startDaemon({ yaml, settings: often, previous: first, createUsbHub }),
    );

    async function isTurnedOffAgain({ logged }: TestDaemon) {
      ports.set('usb/1-1.2', true);
      await waitUntil(() => logged().find(({ msg }) => msg === 'turned off again'));
      expect(ports.isOn('usb/1-1.2')).toBe(false);
    }
  });
});

describe('on by a person', () => {
  it('is pending where its controller does not respond: once it does, it is on', async () => {
    const boards = new Boards();
    const board = boards.get('pdu-1');
    const daemon = await startDaemon({ yaml, boards });
    await daemon.turn('off', 'm');
    board.isDown = true;

    const on = await daemon.turn('on', 'm');
    board.isDown = false;
    await waitUntil(() => (board.outlets.isOn('1') ? true : undefined));

    expect(on).toMatchObject({ action: 'on', outcome: 'stuck-off' });
  });
});
