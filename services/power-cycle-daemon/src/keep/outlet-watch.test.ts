import { createLogger } from '@skolo/common';
import { fakeClock } from '@skolo/common/testing';
import { noCrashNotes } from '@skolo/common/testing/no-crash-notes';
import { parseRack } from '@skolo/rack';
import { OutletBoard } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { EmitPower } from '../events.ts';
import { Store } from '../state/store.ts';
import { Boards } from '../testing/board-driver.ts';
import { rackYaml } from '../testing/daemon.ts';
import { cycleRecord } from '../testing/records.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { OutletWatch } from './outlet-watch.ts';

const yaml = `
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.1 }
  pdu-2: { model: apc-rpdu, address: 127.0.2.2, power: pdu-1/8 }
machines:
  a: { kind: host, power: pdu-1/1, device: { kind: android, power: usb/1-1.2 } }
  b: { kind: host, power: [pdu-1/2, pdu-2/2] }
`;
const often = '    readSeconds: 5\n    probeSeconds: { first: 0.1, most: 1 }';
const offByAnn = {
  controller: 'pdu-1',
  outlet: '7',
  by: 'ann',
  at: '2026-11-20T12:00:00.000Z',
  reason: 'smoke',
};

function watched(settings = often) {
  const boards = new Boards();
  const rack = parseRack(rackYaml(yaml, settings), { file: '/rack.yaml' });
  const store = new Store({
    journal: () => undefined,
    onTrouble: () => undefined,
    onWell: () => undefined,
  });
  const emit: EmitPower = (event) => {
    if (event.type === 'read') watch.noteReadings(event.controller, event.readings);
  };
  const deps = {
    clock: fakeClock(),
    emit,
    maySwitch: () => undefined,
    crashNotes: noCrashNotes,
  };
  const controllers = ['pdu-1', 'pdu-2', 'a'].map((name) =>
    boards.controller(name, undefined, deps),
  );
  const lines: Record<string, unknown>[] = [];
  const watch = new OutletWatch({
    rack: () => rack,
    store,
    controllers: {
      all: () => controllers,
      get: (name) => controllers.find((each) => each.name === name),
    },
    timing: { patience: { firstMs: 1, mostMs: 2, withinMs: 50 } },
    clock: { now: () => 42 },
    crashNotes: noCrashNotes,
    log: createLogger({
      service: 'power-cycle-daemon',
      level: 'debug',
      destination: { write: (line: string) => void lines.push(JSON.parse(line)) },
    }),
  });
  onTestFinished(async () => {
    const closed = controllers.map((controller) => controller.close());
    await watch.close();
    await Promise.all(closed);
  });
  return { boards, store, controllers, watch, lines };
}

describe('the watch', () => {
  it('takes a controller whose every answer is useless for down, until it makes sense again', async () => {
    const { boards, watch, controllers } = watched();
    const [controller] = controllers;
    const { outlets } = boards.get('pdu-1');
    boards.get('pdu-1').outlets = new OutletBoard([]);

    watch.follow();
    const down = await waitUntil(() =>
      controller?.state === 'down' ? controller.detail : undefined,
    );
    boards.get('pdu-1').outlets = outlets;
    await waitUntil(() => (controller?.state === 'up' ? true : undefined));

    expect(down).toBe('no outlet 1');
  });

  it('reads what feeds something, in one go for each controller, and leaves hubs of machines alone', async () => {
    const { boards, watch } = watched();

    watch.follow();
    await waitUntil(() => (watch.readings.size === 4 ? true : undefined));

    expect(boards.get('pdu-1').reads).toEqual([['1', '2', '8']]);
    expect(boards.get('pdu-2').reads).toEqual([['2']]);
    expect(boards.get('a').reads).toEqual([]);
    expect(watch.readings.get('pdu-1/2')).toEqual({
      state: 'on',
      delivering: true,
      watts: 5,
      mode: 'auto',
      at: 42,
    });
  });

  it('asks a controller at once whose own power was cycled, and no other', async () => {
    const rarely = '    readSeconds: 3600\n    probeSeconds: { first: 3600, most: 3600 }';
    const { boards, watch, controllers } = watched(rarely);
    boards.get('pdu-2').isDown = true;
    watch.follow();
    await waitUntil(() => (controllers[1]?.state === 'down' ? true : undefined));
    const cycleOf = (outlet: string) =>
      cycleRecord({ phase: 'finished', feeds: [{ controller: 'pdu-1', outlet }] });

    boards.get('pdu-2').isDown = false;
    watch.noteCycle(cycleOf('1'));
    watch.noteCycle(cycleOf('8'));
    await waitUntil(() => (controllers[1]?.state === 'up' ? true : undefined));

    expect(watch.readings.get('pdu-2/2')?.state).toBe('on');
    expect(boards.get('pdu-1').reads).toHaveLength(1);
  });

  it('is not kept by one that is wedged from reading the others', async () => {
    const { boards, watch } = watched();
    boards.get('pdu-1').isWedged = true;

    watch.follow();
    await waitUntil(() => watch.readings.get('pdu-2/2'));

    expect(watch.readings.has('pdu-1/1')).toBe(false);
  });

  it('is not kept by one outlet that the device does not have from reading the others', async () => {
    const { watch, store, lines } = watched();
    await store.writeLater([store.switchedOff.put({ ...offByAnn, outlet: '99' })]);

    watch.follow();
    await waitUntil(() => watch.readings.get('pdu-1/2'));
    await waitUntil(() => lines.find(({ msg }) => msg === 'not read'));

    expect(watch.readings.get('pdu-1/1')?.state).toBe('on');
    expect(lines.find(({ msg }) => msg === 'not read')).toMatchObject({
      outlet: 'pdu-1/99',
      why: 'pdu-1: no outlet 99',
    });
  });

  it('leaves an outlet alone that is being turned on or off by somebody', async () => {
    const { boards, watch, store } = watched();
    const feeds = [{ controller: 'pdu-1', outlet: '7' }];
    await store.writeLater([
      store.switchedOff.put(offByAnn),
      store.cycles.put(cycleRecord({ action: 'off', feeds, phase: 'contact' })),
    ]);

    watch.follow();
    await waitUntil(() => watch.readings.get('pdu-1/7'));
    await watch.close();

    expect(boards.get('pdu-1').told).toEqual([]);
  });

  it('follows the rack: one controller in place of another is watched, and the old one no more', async () => {
    const { boards, watch, controllers } = watched();
    watch.follow();
    await waitUntil(() => (watch.readings.size === 4 ? true : undefined));
    await controllers[0]?.close();
    const other = new Boards();
    controllers.splice(0, 1, other.controller('pdu-1'));

    watch.follow();
    watch.follow();
    await waitUntil(() => (other.get('pdu-1').reads.length > 0 ? true : undefined));

    expect(other.get('pdu-1').reads).toEqual([['1', '2', '8']]);
    expect(boards.get('pdu-1').reads).toHaveLength(1);
  });

  it('ends at once, also while it looks', async () => {
    const { boards, watch, controllers } = watched('    readSeconds: 3600');
    boards.get('pdu-1').isWedged = true;
    watch.follow();
    await waitUntil(() => (boards.get('pdu-1').atOnce.now > 0 ? true : undefined));

    const closed = Promise.all(controllers.map((controller) => controller.close()));
    await watch.close();
    await closed;

    expect(boards.get('pdu-1').reads).toEqual([]);
  });
});
