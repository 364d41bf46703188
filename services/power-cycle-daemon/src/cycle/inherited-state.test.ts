/** A daemon whose journal came from another computer, as `skolo jumphost replace` brings it. */
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startDaemon } from '../testing/daemon.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { inheritedMark } from './inherited-state.ts';

const yaml = `
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
  off: { kind: host, power: pdu-1/1 }
  queued: { kind: host, power: pdu-1/2 }
  off-by-person: { kind: host, power: pdu-1/3 }
  on-again: { kind: host, power: pdu-1/4 }
  to-be-off: { kind: host, power: pdu-1/5 }
  old-jumphost: { kind: host, power: pdu-1/8 }
`;
const settings = '    atOncePerController: 1\n    readSeconds: 5';

it('turns on what is to come on, and carries out no off and no cycle', async () => {
  const first = await startDaemon({ yaml, settings });
  const board = first.boards.get('pdu-1');
  for (const target of ['off-by-person', 'on-again']) {
    await first.turn('off', target);
  }
  const off = await first.request('off', { offSeconds: 600 });
  await first.until(off, ({ step }) => step === 'off');
  const queued = await first.request('queued', { offSeconds: 600 });
  board.isWedged = true;
  const body = { targets: ['to-be-off'], state: 'off' as const, reason: 'smoke' };
  const { cycles } = await first.client.switchOutlets({ body });
  await first.stop();

  // Since the journal was copied.
  board.isWedged = false;
  board.outlets.set('4', true);
  board.outlets.set('8', false);
  board.told.length = 0;
  const mark = join(first.stateDir, inheritedMark);
  await writeFile(mark, JSON.stringify({ time: '2026-11-20T03:15:00Z', keepOff: ['pdu-1/8'] }));
  const second = await startDaemon({ yaml, settings, previous: first });
  await waitUntil(() => (board.outlets.isOn('1') ? true : undefined));
  const offs = await waitUntil(async () => {
    const { outlets } = await second.client.outlets();
    const found = outlets.filter(({ switchedOff }) => switchedOff).map(({ outlet }) => outlet);
    return found.length === 2 ? found : undefined;
  });

  expect(offs).toEqual(['pdu-1/3', 'pdu-1/8']);
  expect(board.told).toEqual(['on 1 auto']);
  expect(await second.finished(queued)).toMatchObject({
    outcome: 'cancelled',
    detail: 'the jumphost was replaced; the journal is from 2026-11-20T03:15:00Z',
  });
  expect(await second.finished(off)).toMatchObject({
    outcome: 'failed',
    detail: expect.stringContaining('the outlets are turned on again'),
  });
  expect((await second.finished(cycles[0]?.id ?? '')).outcome).toBe('failed');
  await expect(access(mark)).rejects.toThrow('ENOENT');
});
