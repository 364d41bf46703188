import { ApiUnreachable, type LogLine } from '@skolo/api';
import { describe, expect, it } from 'vitest';
import { testIo } from '../../testing/test-io.ts';
import { type FollowOptions, followLog } from './log.ts';

type Answer = LogLine[] | Error;

const line = (number: number, text: string, second = number): LogLine => ({
  number,
  at: `2026-11-20T07:30:${String(second).padStart(2, '0')}Z`,
  from: 'bot',
  text,
});

/** The output until the responses are used up, when somebody presses Ctrl-C. */
async function following(answers: readonly Answer[], options: Partial<FollowOptions> = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const asked: { lines: number; after?: number }[] = [];
  const left = [...answers];
  let stop = () => {};
  const io = testIo({
    out: (text) => out.push(text.slice('2026-11-20T07:30:00Z  bot    '.length)),
    err: (text) => err.push(text),
    now: () => 0,
    onStop(listener) {
      stop = listener;
      return () => {};
    },
  });
  const done = followLog(io, {
    lines: 2,
    pauseMs: 0,
    ask: async (query) => {
      asked.push(query);
      const answer = left.shift();
      if (left.length === 0) stop();
      if (answer instanceof Error) throw answer;
      return answer ?? [];
    },
    ...options,
  });
  return { done, out, err, asked };
}

describe('skolo machine log --follow', () => {
  it('prints each line once, and asks from the last one on', async () => {
    const log = await following([
      [line(4, 'a'), line(5, 'b')],
      [line(5, 'b')],
      [line(5, 'b'), line(6, 'c')],
      [],
    ]);
    await log.done;

    expect(log.out).toEqual(['a', 'b', 'c']);
    expect(log.asked.slice(0, 3)).toEqual([
      { lines: 2 },
      { lines: 1000, after: 4 },
      { lines: 1000, after: 4 },
    ]);
  });

  it('detects a restart of the agent, with any number of new lines', async () => {
    const log = await following([
      [line(1, 'a')],
      [line(1, 'x', 40), line(2, 'y', 41)],
      [line(0, 'w', 39), line(1, 'x', 40), line(2, 'y', 41)],
      [line(2, 'y', 41)],
    ]);
    await log.done;

    expect(log.out).toEqual(['a', 'w', 'x', 'y']);
    expect(log.err).toEqual(['skolo: the agent restarted']);
  });

  it('reports the number of lost lines', async () => {
    const log = await following([[line(1, 'a')], [line(9, 'b')], [line(9, 'b')]]);
    await log.done;

    expect(log.out).toEqual(['a', 'b']);
    expect(log.err).toEqual([
      'skolo: missed 7 lines, because the agent keeps only a thousand lines',
    ]);
  });

  it('retries while the agent is unreachable, and reports it once', async () => {
    const away = new ApiUnreachable('http://rpi-1:11001', 'timed out');
    const log = await following([
      [line(1, 'a')],
      away,
      away,
      [line(1, 'a'), line(2, 'b')],
      [line(2, 'b')],
    ]);
    await log.done;

    expect(log.out).toEqual(['a', 'b']);
    expect(log.err).toEqual(['skolo: no connection (timed out); retrying']);
  });

  it.each([
    { how: 'that never answered', answers: [], giveUpMs: 1000 },
    { how: 'that is away for too long', answers: [[line(1, 'a')]], giveUpMs: 0 },
  ])('gives up one $how', async ({ answers, giveUpMs }) => {
    const away = new ApiUnreachable('http://rpi-1:11001', 'no connection');
    const log = await following([...answers, away, [line(1, 'a')], []], { giveUpMs });

    await expect(log.done).rejects.toThrow('no connection');
  });
});
