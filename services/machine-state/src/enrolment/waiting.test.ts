import { fakeClock } from '@skolo/common/testing';
import { expect, it } from 'vitest';
import { Waiting } from './waiting.ts';

it('a Pi that no longer asks is forgotten after an hour', () => {
  const clock = fakeClock();
  const waiting = new Waiting(clock, () => false);
  const asked = { key: 'a'.repeat(64), from: '192.168.1.9', serial: '1', macs: [], model: 'Pi 4' };
  waiting.put(asked, { wait: 'unknown', why: 'no machine has this serial number' });

  clock.pass(3_599_000);
  expect(waiting.list()).toHaveLength(1);
  clock.pass(2000);
  expect(waiting.list()).toEqual([]);
});
