/** What was allowed when it was asked for, and is not any more when its turn comes. */
import { describe, expect, it } from 'vitest';
import { Boards, reboot } from '../testing/board-driver.ts';
import { startDaemon, type TestDaemon } from '../testing/daemon.ts';
import { plugIn } from '../testing/machine.ts';
import { waitUntil } from '../testing/wait-until.ts';

const equipment = `
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
`;
const a = '  a: { kind: host, power: pdu-1/1 }\n';
const b = '  b: { kind: host, power: pdu-1/2 }\n';
const oneAtOnce = '    atOncePerController: 1';

/** a is off, for as long as what is changed then may take, and the other waits for its turn. */
async function waiting(
  daemon: TestDaemon,
  name = 'b',
  offSeconds = 20,
): Promise<{ first: string; second: string }> {
  const first = await daemon.request('a', { offSeconds });
  await daemon.until(first, ({ step }) => step === 'off');
  const second = await daemon.request(name, { offSeconds: 0.5 });
  await daemon.until(second, ({ steps }) => steps.some(({ text }) => text === 'pdu-1/2 is on'));
  return { first, second };
}

describe('a cycle that waits for its turn', () => {
  it('is not begun once its machine is under repair', async () => {
    const daemon = await startDaemon({ yaml: equipment + a + b, settings: oneAtOnce });
    const { second } = await waiting(daemon);

    await daemon.client.hold({ body: { targets: ['b'], reason: 'hands in the rack' } });
    const cycle = await daemon.finished(second);

    expect(cycle).toMatchObject({ outcome: 'failed', failedStep: 'queued' });
    expect(cycle.detail).toContain('put on hold');
    expect(daemon.boards.get('pdu-1').told).not.toContain('off 2');
  });

  it('is not begun once somebody else hangs on it', async () => {
    const switch9 =
      '  switch-9: { model: edgeswitch, address: 127.0.2.9, power: pdu-1/2 }\nmachines:\n';
    const yaml = equipment.replace('machines:\n', switch9) + a;
    const daemon = await startDaemon({ yaml, settings: oneAtOnce });
    const { first, second } = await waiting(daemon, 'switch-9', 30);

    await daemon.edit(`${yaml}  c: { kind: host, uplink: switch-9/1 }\n`);
    const cycle = await daemon.finished(second);
    await daemon.finished(first);

    expect(cycle).toMatchObject({ outcome: 'failed', failedStep: 'queued' });
    expect(cycle.detail).toContain('1 other would lose power or network');
    expect(daemon.boards.get('pdu-1').told).not.toContain('off 2');
  });

  it('is not begun once a task runs there', async () => {
    const boards = new Boards();
    const machine = await plugIn(boards, 'b', ['pdu-1/2'], { host: '127.0.1.1' });
    const yaml = `${equipment + a}  b: ${machine.entry}\n`;
    const daemon = await startDaemon({ yaml, boards, settings: oneAtOnce });
    const { second } = await waiting(daemon);

    machine.task = { running: true, id: '6f00' };
    const cycle = await daemon.finished(second);

    expect(cycle).toMatchObject({ outcome: 'busy' });
    expect(boards.get('pdu-1').told).not.toContain('off 2');
  });
});

describe('an outlet that a person turned off', () => {
  it('is not turned off again once the jumphost hangs on it', async () => {
    const often = '    readSeconds: 5\n    probeSeconds: { first: 0.1, most: 1 }';
    const first = await startDaemon({ yaml: equipment + a });
    await first.turn('off', 'pdu-1/7');
    await first.stop();
    const board = first.boards.get('pdu-1');
    reboot(board);

    const second = await startDaemon({
      yaml: equipment + a,
      settings: often,
      previous: first,
      jumphost: ', power: pdu-1/7',
    });
    await waitUntil(() =>
      second.logged().find(({ msg }) => /outlet left on, although/.test(String(msg))),
    );

    expect(board.told).toEqual(['off 7']);
    expect(board.outlets.isOn('7')).toBe(true);
  });
});
