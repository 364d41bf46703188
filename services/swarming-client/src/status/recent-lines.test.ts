import { expect, it } from 'vitest';
import { RecentLines } from './recent-lines.ts';

const at = new Date('2026-11-20T12:00:00Z');

it('keeps the last lines, each with a number that grows', () => {
  const lines = new RecentLines();
  for (let i = 0; i < 1500; i += 1) lines.add('bot', `line ${i}`, at);

  expect(lines.last(2)).toEqual([
    { number: 1498, at, from: 'bot', text: 'line 1498' },
    { number: 1499, at, from: 'bot', text: 'line 1499' },
  ]);
  expect(lines.last(5000)).toHaveLength(1000);
  expect(lines.last(100, 1497).map(({ number }) => number)).toEqual([1498, 1499]);
  expect(lines.last(100, 1499)).toEqual([]);
});

it('is bounded, whatever somebody prints', () => {
  const lines = new RecentLines();
  for (let i = 0; i < 400; i += 1) lines.add('bot', 'x'.repeat(100_000), at);

  const all = lines.last(1000);
  expect(all.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(256 * 1024);
  expect(all.at(-1)).toMatchObject({ number: 399, text: `${'x'.repeat(2000)} …` });
});

it('has the lines of the log for people, but not those of the bot', () => {
  const lines = new RecentLines();
  const time = at.toISOString();
  const line = { level: 'warn', time, service: 'swarming-client', msg: 'device missing' };

  lines.addLogged(JSON.stringify({ ...line, device: 'rpi-1-device', why: 'not attached' }));
  lines.addLogged(JSON.stringify({ ...line, msg: 'bot output', line: 'x' }));

  expect(lines.last(9)).toEqual([
    {
      number: 0,
      at,
      from: 'agent',
      text: 'warn: device missing device=rpi-1-device why="not attached"',
    },
  ]);
});
