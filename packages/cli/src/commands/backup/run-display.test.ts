import type { BackupRun, RunEquipment } from '@skolo/api';
import { resultOf } from '@skolo/scripted-services';
import { expect, it } from 'vitest';
import { widthOf } from '../../output/text.ts';
import { runFrame } from './run-display.ts';

const plain = { columns: 100, rows: 24, colour: false };

function progress(equipment: RunEquipment[], lost?: string) {
  const run: BackupRun = {
    id: 'r1',
    origin: 'person',
    by: 'ann',
    requestedAt: '2026-11-20T07:30:00Z',
    equipment,
  };
  return { run, lost };
}

const equipment: RunEquipment[] = [
  resultOf('router'),
  { equipment: 'switch-1', state: 'reading' },
  resultOf('switch-2'),
  { equipment: 'switch-3', state: 'waiting' },
];

it('shows the state and result of each device', () => {
  expect(runFrame(progress(equipment), plain, 3)).toEqual([
    'router    changed          0.3 s  version 40c04d7e5b1d, 252 B',
    'switch-1  reading',
    'switch-2  failed            31 s  timeout: nothing heard for 30 s, waiting for the prompt after "s…',
    'switch-3  waiting',
    '4 requested, 3 s: 1 ok (1 changed), 1 failed (timeout), 1 being read, 1 waiting',
  ]);
});

it('shows failed devices first if not all fit', () => {
  expect(runFrame(progress(equipment, 'no answer'), { ...plain, columns: 40, rows: 5 }, 3)).toEqual(
    [
      'switch-1  reading',
      'switch-2  failed            31 s',
      '… and 1 ok (1 changed), 1 waiting',
      'no connection (no answer), retrying; 4…',
    ],
  );
});

it('fits every window', () => {
  for (let columns = 1; columns < 60; columns++) {
    for (let rows = 1; rows < 8; rows++) {
      const lines = runFrame(progress(equipment), { columns, rows, colour: false }, 3);

      expect(lines.length).toBeLessThanOrEqual(Math.max(1, rows - 1));
      if (columns > 40) for (const line of lines) expect(widthOf(line)).toBeLessThan(columns);
    }
  }
});
