import { expect, it } from 'vitest';
import { ClockOffset } from './metadata-client.ts';

/** A Pi has no clock of its own: it boots with that of its last day. */
it('is over as soon as the clock is set, and there when it is set wrong', () => {
  const time = { now: 0, uptime: 5 };
  const offset = new ClockOffset({ now: () => time.now, uptime: () => time.uptime });
  const seen = [offset.get()];

  offset.is(-86_400);
  seen.push(offset.get());
  Object.assign(time, { now: 10_000, uptime: 15 });
  seen.push(offset.get());
  Object.assign(time, { now: 86_411_000, uptime: 16 });
  seen.push(offset.get());
  Object.assign(time, { now: 90_012_000, uptime: 17 });
  seen.push(offset.get());

  expect(seen).toEqual([undefined, -86_400, -86_400, 0, 3600]);
});
