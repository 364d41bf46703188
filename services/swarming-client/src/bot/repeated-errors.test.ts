import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it } from 'vitest';
import { RepeatedErrors } from './repeated-errors.ts';

function start() {
  const clock = fakeClock('2026-11-20T12:00:00Z');
  const emitted: string[] = [];
  const errors = new RepeatedErrors({ clock, emit: (line) => emitted.push(line) });
  let loop = 0;
  /** As the bot writes it: each time with another time. */
  const say = (text: string, ...more: string[]) => {
    loop += 1;
    errors.add(`77 2026-11-20 12:00:00.${100 + loop} E: ${text}`);
    for (const line of more) errors.add(line);
  };
  return { clock, emitted, errors, say };
}

const missing = "[Errno 2] No such file or directory: 'xrandr'";

describe('errors of the bot', () => {
  it('that are repeated in each loop are passed on once an hour, with their number', () => {
    const { clock, emitted, say } = start();

    for (let loop = 0; loop < 200; loop += 1) {
      say(missing);
      clock.pass(30_000);
    }

    expect(emitted).toEqual([
      `77 2026-11-20 12:00:00.101 E: ${missing}`,
      `77 2026-11-20 12:00:00.221 E: ${missing} (and 119 times since 2026-11-20T12:00:00Z)`,
    ]);
  });

  it('that differ are all passed on', () => {
    const { emitted, say } = start();

    say('poll: status 500');
    say('poll: status 503');
    say('poll: status 500');

    expect(emitted).toHaveLength(2);
  });

  it('are folded with their stacks, and passed on whole where a stack differs', () => {
    const { emitted, say } = start();
    const stack = (line: number) => [
      'Traceback (most recent call last):',
      `  File "bot.py", line ${line}`,
      'ValueError: no',
    ];

    say('get_state failed', ...stack(1));
    say('get_state failed', ...stack(1));
    say('get_state failed', ...stack(2));

    expect(emitted).toEqual([
      expect.stringMatching(/101 E: get_state failed$/),
      ...stack(1),
      expect.stringMatching(/103 E: get_state failed$/),
      ...stack(2),
    ]);
  });

  it('without a time are passed on as they are', () => {
    const { emitted, errors } = start();

    for (let time = 0; time < 3; time += 1) errors.add('MemoryError');

    expect(emitted).toEqual(['MemoryError', 'MemoryError', 'MemoryError']);
  });

  it('are remembered up to a number', () => {
    const { emitted, say } = start();

    for (let number = 0; number < 200; number += 1) say(`error ${number}`);
    say('error 0');
    say('error 199');

    expect(emitted).toHaveLength(201);
  });
});
