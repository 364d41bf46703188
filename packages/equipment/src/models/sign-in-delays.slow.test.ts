/** Login servers that are slow or down, with every combination of delays, and in real time. */

import type { Dialect } from '@skolo/equipment/transports';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ciscoIos } from './cisco-ios/dialect.ts';
import { fastpath } from './families/fastpath/fastpath.ts';
import { linuxShell } from './families/unix/linux-shell.ts';
import { procurve } from './procurve/procurve.ts';
import { beginnings, type Delays, devices, generic, signIn } from './testing/slow-logins.ts';

const seconds = [0, 0.5, 2.1, 4.5, 9, 20];
const allDelays = seconds.flatMap((a) =>
  seconds.flatMap((b) => seconds.map((c): Delays => [a, b, c])),
);

afterEach(() => {
  vi.useRealTimers();
});

describe.each(Object.entries(beginnings))('a login that begins with %s', (_name, begin) => {
  it.each(devices)('of $name is given one password', async (dialect, prompt) => {
    for (const delays of allDelays) {
      const { result, given } = await signIn(dialect, prompt, begin, delays);

      expect({ given, result, delays }).toEqual({ given: ['right'], result: 'signed in', delays });
    }
  });
});

/** What a simulated clock may hide. */
const realPairs: { dialect: Dialect; prompt: string; name: string; delays: Delays }[] = [
  { dialect: ciscoIos, prompt: 'core1#', name: 'a banner', delays: [0, 0, 20] },
  { dialect: fastpath, prompt: '(core1) #', name: 'nothing', delays: [20, 3, 3] },
  { dialect: procurve, prompt: 'core1#', name: 'a request for a key', delays: [0, 20, 0] },
  { dialect: linuxShell, prompt: 'root@core1:~#', name: 'a banner', delays: [2.1, 12, 2.1] },
  { dialect: generic, prompt: 'core1#', name: 'numbered rules', delays: [4.5, 4.5, 12] },
];
describe('in real time', () => {
  it.concurrent.each(realPairs)(
    '$dialect.name is given one password',
    async ({ dialect, prompt, name, delays }) => {
      const begin = beginnings[name] ?? expect.fail(name);

      const { result, given } = await signIn(dialect, prompt, begin, delays, { isRealTime: true });

      expect({ given, result }).toEqual({ given: ['right'], result: 'signed in' });
    },
  );
});
