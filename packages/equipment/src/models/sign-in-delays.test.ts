/**
 * Login servers that are slow or down: a device keeps what was typed ahead, so an empty line would be
 * taken for the password that it asks for next.
 */

import { afterEach, describe, expect, it, vi } from 'vitest';
import { beginnings, type Delays, devices, signIn } from './testing/slow-logins.ts';

/** sign-in-delays.slow.test.ts has all combinations. */
const someDelays: Delays[] = [
  [0, 2.5, 0],
  [20, 4.5, 4.5],
  [3, 0, 20],
  [2.1, 12, 2.1],
];

afterEach(() => {
  vi.useRealTimers();
});

describe.each(Object.entries(beginnings))('a login that begins with %s', (_name, begin) => {
  it.each(devices)('of $name is given one password', async (dialect, prompt) => {
    for (const delays of someDelays) {
      const { result, given } = await signIn(dialect, prompt, begin, delays);

      expect({ given, result, delays }).toEqual({ given: ['right'], result: 'signed in', delays });
    }
  });
});
