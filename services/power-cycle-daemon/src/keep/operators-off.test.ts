import { describe, expect, it } from 'vitest';
import { Boards, reboot } from '../testing/board-driver.ts';
import { problem, startDaemon } from '../testing/daemon.ts';
import { plugIn } from '../testing/machine.ts';
import { waitUntil } from '../testing/wait-until.ts';

const yaml = `
equipment:
  switch-1: { model: edgeswitch, address: 127.0.2.1 }
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
  pdu-2: { model: apc-rpdu, address: 127.0.2.3 }
machines:
  a: { kind: rpi, power: switch-1/1, offSeconds: 0.5 }
  b: { kind: host, power: pdu-1/1, offSeconds: 0.5 }
  c: { kind: host, power: [pdu-1/2, pdu-2/2], offSeconds: 0.5 }
`;
const often = '    readSeconds: 5\n    probeSeconds: { first: 0.1, most: 1 }';

describe('off by a person', () => {
  it('is seen off, reported, and stays', async () => {
    const daemon = await startDaemon({ yaml });

    const off = await daemon.turn('off', 'b');

    expect(off).toMatchObject({
      action: 'off',
      outcome: 'off',
      detail: 'pdu-1/1 is reported as off',
    });
    expect(await daemon.outlet('pdu-1/1')).toMatchObject({
      state: 'off',
      switchedOff: { by: daemon.who, reason: 'smoke', at: expect.any(String) },
    });
    await expect(daemon.request('b')).rejects.toThrow(
      `b: pdu-1/1 was turned off by ${daemon.who} at `,
    );
    expect(daemon.boards.get('pdu-1').told).toEqual(['off 1']);
  });

  it('is not for a machine with a running task, unless it is forced', async () => {
    const boards = new Boards();
    const machine = await plugIn(boards, 'm', ['pdu-1/1'], { host: '127.0.1.1' });
    machine.task = { running: true, id: '6f1c' };
    const daemon = await startDaemon({
      boards,
      yaml: `
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
  m: ${machine.entry}
`,
    });

    const busy = await daemon.turn('off', 'm');
    const outlet = await daemon.outlet('pdu-1/1');
    const forced = await daemon.turn('off', 'm', { force: true });

    expect(busy).toMatchObject({ outcome: 'busy', detail: 'task 6f1c is running' });
    expect(outlet).not.toHaveProperty('switchedOff');
    expect(forced.outcome).toBe('off');
    expect(boards.get('pdu-1').told).toEqual(['off 1']);
  });

  it('is undone by a person, who finds the port as it was', async () => {
    const daemon = await startDaemon({ yaml });
    daemon.boards.get('pdu-1').outlets.setMode('1', '48v');
    await daemon.turn('off', 'b');

    const on = await daemon.turn('on', 'b');

    expect(on).toMatchObject({ action: 'on', outcome: 'on', detail: 'pdu-1/1 is reported as on' });
    expect(daemon.boards.get('pdu-1').told).toEqual(['off 1', 'on 1 48v']);
    expect(await daemon.outlet('pdu-1/1')).not.toHaveProperty('switchedOff');
    expect(await daemon.outlet('pdu-1/1')).not.toHaveProperty('pendingOnSince');
  });

  it('is asked for twice and remembers the port all the same', async () => {
    const daemon = await startDaemon({ yaml });
    daemon.boards.get('pdu-1').outlets.setMode('1', '48v');
    await daemon.turn('off', 'b');
    await daemon.turn('off', 'b');

    await daemon.turn('on', 'b');

    expect(daemon.boards.get('pdu-1').told.at(-1)).toBe('on 1 48v');
  });

  it('is of all feeds, and of what is turned on all of them', async () => {
    const daemon = await startDaemon({ yaml });

    const off = await daemon.turn('off', 'c');
    const on = await daemon.turn('on', 'c');

    expect(off.detail).toBe('pdu-1/2 is reported as off, pdu-2/2 is reported as off');
    expect(on.detail).toBe('pdu-1/2 is reported as on, pdu-2/2 is reported as on');
  });

  it('is of a single outlet, by its name', async () => {
    const daemon = await startDaemon({ yaml });

    const off = await daemon.turn('off', 'pdu-1/20');

    expect(off).toMatchObject({ target: 'pdu-1/20', outcome: 'off' });
    expect(daemon.boards.get('pdu-1').told).toEqual(['off 20']);
  });

  it('is restored after the device has rebooted and turned all on', async () => {
    const first = await startDaemon({ yaml });
    await first.turn('off', 'b');
    await first.stop();
    const board = first.boards.get('pdu-1');
    board.isDown = true;
    const second = await startDaemon({ yaml, settings: often, previous: first });

    reboot(board);
    board.isDown = false;
    const line = await waitUntil(() =>
      second.logged().find(({ msg }) => msg === 'turned off again'),
    );

    const result = 'pdu-1/1 is reported as off';
    expect(line).toMatchObject({ outlet: 'pdu-1/1', by: second.who, result });
    expect(board.told).toEqual(['off 1', 'off 1']);
    expect(board.outlets.isOn('1')).toBe(false);
  });

  it('cannot be cancelled: it holds since it was accepted', async () => {
    const daemon = await startDaemon({ yaml });
    daemon.boards.get('pdu-1').isWedged = true;
    const { cycles } = await daemon.client.switchOutlets({
      body: { targets: ['b'], state: 'off', reason: 'smoke' },
    });

    const cancelled = daemon.client.cancelCycle({ params: { id: cycles[0]?.id ?? '' } });

    await expect(cancelled).rejects.toThrow(
      'the request to turn b off was accepted and cannot be cancelled; turn it on instead',
    );
  });

  it('fails where it is not seen, stays pending, and is carried out later', async () => {
    const boards = new Boards();
    const board = boards.get('pdu-1');
    board.isDown = true;
    const daemon = await startDaemon({ yaml, settings: often, boards });

    const off = await daemon.turn('off', 'b');
    board.isDown = false;
    await waitUntil(() => (board.outlets.isOn('1') ? undefined : true));

    expect(off).toMatchObject({ outcome: 'failed', failedStep: 'contact' });
    expect(await daemon.outlet('pdu-1/1')).toMatchObject({ switchedOff: { reason: 'smoke' } });
  });

  it('ends the attempts to turn on what was stuck off', async () => {
    const daemon = await startDaemon({ yaml });
    const board = daemon.boards.get('pdu-1');
    board.ignores = 'on';
    await daemon.cycle('b');

    await daemon.turn('off', 'b');
    board.ignores = undefined;
    const settled = await waitUntil(async () => {
      const now = await daemon.outlet('pdu-1/1');
      return now?.stuckOff ? undefined : now;
    });
    const told = board.told.length;
    await waitUntil(async () => ((await daemon.degraded()).length === 0 ? true : undefined));

    expect(settled).not.toHaveProperty('pendingOnSince');
    expect(board.outlets.isOn('1')).toBe(false);
    expect(board.told.slice(told)).toEqual([]);
  });
});

describe('on by a person', () => {
  it('leaves alone what is on', async () => {
    const daemon = await startDaemon({ yaml });

    expect((await daemon.turn('on', 'a')).outcome).toBe('on');
    expect(daemon.boards.get('switch-1').told).toEqual([]);
  });

  it('turns on what somebody turned off at the device', async () => {
    const daemon = await startDaemon({ yaml });
    daemon.boards.get('switch-1').outlets.set('1', false);

    expect((await daemon.turn('on', 'a')).outcome).toBe('on');
    expect(daemon.boards.get('switch-1').told).toEqual(['on 1 usual']);
  });

  it('tries what is stuck at once, and reports the result', async () => {
    const daemon = await startDaemon({ yaml });
    const board = daemon.boards.get('pdu-1');
    board.ignores = 'on';
    await daemon.cycle('b');

    const still = await daemon.turn('on', 'b');
    board.ignores = undefined;
    const atLast = await daemon.turn('on', 'b');

    expect([still.outcome, atLast.outcome]).toEqual(['stuck-off', 'on']);
    expect(board.outlets.isOn('1')).toBe(true);
  });

  it('is rejected for what nothing feeds, and for what is being cycled', async () => {
    const daemon = await startDaemon({ yaml });
    await daemon.request('b');

    expect(await problem(daemon.turn('on', 'b'))).toMatchObject({
      status: 409,
      rejected: [{ target: 'b', code: 'under-way' }],
    });
  });
});
