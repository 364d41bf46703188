import { describe, expect, it } from 'vitest';
import { type Ending, exitOf, exitText } from './bot-view.ts';

const ending: Ending = {
  wasSilent: false,
  wasStopped: false,
  hadAskedForReboot: false,
  isZipSound: true,
  seconds: 61.4,
};

describe('the end of a bot', () => {
  it.each<[string, Partial<Ending>, string]>([
    ['told to', { status: 0, wasStopped: true }, 'stopped'],
    ['told to, and killed', { signal: 9, wasStopped: true }, 'stopped'],
    ['after a hang', { signal: 9, wasStopped: true, wasSilent: true }, 'silent'],
    ['by itself', { status: 0 }, 'ended'],
    ['an empty zip', { status: 0, isZipSound: false }, 'bad-zip'],
    ['HTML for a zip', { status: 1, isZipSound: false }, 'bad-zip'],
    ['no zip', { status: 2, isZipSound: false }, 'bad-zip'],
    ['an exception', { status: 1 }, 'failed'],
    ['an exec that failed', { status: 127 }, 'failed'],
    ['the shim', { signal: 9, hadAskedForReboot: true }, 'rebooted'],
    ['while it waited for a reboot', { signal: 15 }, 'rebooted'],
    ['the kernel', { signal: 9 }, 'killed'],
    ['with its parent', {}, 'killed'],
    ['a fault', { signal: 11 }, 'failed'],
  ])('%s', (_, facts, exit) => {
    expect(exitOf({ ...ending, ...facts })).toBe(exit);
  });

  it('is reported with its last error line', () => {
    expect(exitText('failed', { ...ending, status: 1, lastError: 'SyntaxError: no' })).toBe(
      'failed after 61 s (status 1): SyntaxError: no',
    );
    expect(exitText('killed', ending)).toMatch(
      /^killed after 61 s \(the parent process was killed\)/,
    );
  });
});
