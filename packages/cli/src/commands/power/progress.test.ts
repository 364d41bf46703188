import { stripVTControlCharacters } from 'node:util';
import type { PowerCycle } from '@skolo/api';
import { askedAt, at, exampleCycle } from '@skolo/scripted-services';
import { describe, expect, it } from 'vitest';
import { widthOf } from '../../output/text.ts';
import type { Progress } from './progress.ts';
import { progressFrame } from './progress.ts';

const plain = { columns: 100, rows: 24, colour: false };
const now = askedAt + 12_000;

function name(number: number): string {
  return `skia-rpi2-rack4-shelf1-${String(number).padStart(3, '0')}`;
}

function progressOf(cycles: readonly PowerCycle[], more: Partial<Progress> = {}): Progress {
  return {
    asked: cycles.map(({ id, target }) => ({ id, target })),
    cycles: new Map(cycles.map((cycle) => [cycle.id, cycle])),
    clockAheadMs: 0,
    ...more,
  };
}

const steps = {
  queued: {},
  turningOff: {
    step: 'turn-off',
    startedAt: at(2),
    steps: [
      { at: at(0), step: 'queued', text: 'requested by ann' },
      { at: at(2), step: 'turn-off', text: 'switch-1/2: turning off' },
      { at: at(9), step: 'turn-off', text: 'switch-1/2: reads on; again' },
    ],
  },
  back: {
    step: 'see-back',
    startedAt: at(1),
    finishedAt: at(10),
    outcome: 'back',
    detail: 'a new boot, seen over ssh',
  },
  failed: {
    step: 'turn-off',
    startedAt: at(1),
    finishedAt: at(9),
    outcome: 'failed',
    failedStep: 'turn-off',
    detail: 'switch-1/4: still reads on after 3 attempts; its power is on',
  },
} as const satisfies Record<string, object>;

function cycleAt(number: number, step: keyof typeof steps): PowerCycle {
  const { ...more } = steps[step];
  return exampleCycle(name(number), 'steps' in more ? { ...more, steps: [...more.steps] } : more);
}

const four = [
  cycleAt(1, 'back'),
  cycleAt(2, 'turningOff'),
  cycleAt(3, 'queued'),
  cycleAt(4, 'failed'),
];

describe('the picture of cycles', () => {
  it('has a line for each: its step, the time since then, and the last detail', () => {
    expect(progressFrame(progressOf(four), plain, now)).toEqual([
      'skia-rpi2-rack4-shelf1-001  back             9 s  a new boot, seen over ssh',
      'skia-rpi2-rack4-shelf1-002  turn-off        10 s  switch-1/2: reads on; again',
      'skia-rpi2-rack4-shelf1-003  queued          12 s  requested by ann',
      'skia-rpi2-rack4-shelf1-004  failed           8 s  switch-1/4: still reads on after 3 attempts; its…',
      '4 requested, 12 s: 1 failed, 1 back, 1 running, 1 queued',
    ]);
  });

  it('keeps the most important columns in a narrow terminal', () => {
    expect(progressFrame(progressOf(four), { ...plain, columns: 44 }, now)).toEqual([
      'skia-rpi…shelf1-001  back             9 s',
      'skia-rpi…shelf1-002  turn-off        10 s',
      'skia-rpi…shelf1-003  queued          12 s',
      'skia-rpi…shelf1-004  failed           8 s',
      '4 requested, 12 s: 1 failed, 1 back, 1 run…',
    ]);
  });

  it('shows failed and running cycles first if not all fit', () => {
    const many = Array.from({ length: 40 }, (_, i) =>
      cycleAt(i + 1, i === 37 ? 'failed' : i < 20 ? 'back' : i < 23 ? 'turningOff' : 'queued'),
    );

    expect(progressFrame(progressOf(many), { ...plain, columns: 60, rows: 8 }, now)).toEqual([
      'skia-rpi2-rack4-shelf1-021  turn-off        10 s',
      'skia-rpi2-rack4-shelf1-022  turn-off        10 s',
      'skia-rpi2-rack4-shelf1-023  turn-off        10 s',
      'skia-rpi2-rack4-shelf1-024  queued          12 s',
      'skia-rpi2-rack4-shelf1-038  failed           8 s',
      '… and 20 back, 15 queued',
      '40 requested, 12 s: 1 failed, 20 back, 3 running, 16 queued',
    ]);
  });

  it('always fits the terminal', () => {
    const many = Array.from({ length: 30 }, (_, i) =>
      cycleAt(i + 1, i % 2 ? 'failed' : 'turningOff'),
    );
    for (const rows of [1, 2, 3, 4, 10, 31, 32, 50]) {
      for (const columns of [1, 10, 20, 39, 40, 80, 200]) {
        const frame = progressFrame(progressOf(many), { rows, columns, colour: true }, now);

        expect(frame.length).toBeLessThanOrEqual(Math.max(1, rows - 1));
        if (columns < 25) continue;
        const widths = frame.map((line) => widthOf(stripVTControlCharacters(line)));
        expect(Math.max(...widths)).toBeLessThan(columns);
      }
    }
  });

  it('marks good and bad outcomes by colour', () => {
    const frame = progressFrame(progressOf(four), { ...plain, colour: true }, now);

    expect(frame[0]).toContain('  \x1b[32mback\x1b[39m  ');
    expect(frame[1]).not.toContain('\x1b');
    expect(frame[2]).toContain('  \x1b[2mqueued\x1b[22m  ');
    expect(frame[3]).toContain('  \x1b[31mfailed\x1b[39m  ');
    expect(frame[4]).toMatch(/^.\[1m4 requested/);
  });

  it('shows cycles without an event yet, and a lost connection', () => {
    const progress = progressOf([], {
      asked: [{ id: 'a', target: 'rpi-1' }],
      lost: 'ECONNREFUSED',
    });

    expect(progressFrame(progress, plain, now)).toEqual([
      'rpi-1  queued',
      'no connection (ECONNREFUSED), retrying; 1 requested, 0 s: 1 queued',
    ]);
  });

  it('counts time by the clock of the service', () => {
    const ahead = progressOf([cycleAt(2, 'turningOff')], { clockAheadMs: 3_600_000 });

    const [line] = progressFrame(ahead, plain, now - 3_600_000);

    expect(line).toContain('turn-off        10 s');
  });

  it('removes control characters of the service', () => {
    const evil = exampleCycle('rpi-1', { step: 'off', detail: 'a\n\x1b[2Jb', steps: [] });

    expect(progressFrame(progressOf([evil]), plain, now)[0]).toMatch(/ a b$/);
  });
});
