import { setImmediate } from 'node:timers/promises';
import { parseRack } from '@skolo/rack';
import { expect, it } from 'vitest';
import { type RebootDeps, waitUntilQuiet } from './reboot.ts';

const rack = parseRack('rack: rack4\njumphost: { name: j, address: 192.168.1.8 }\n', {
  file: 'rack.yaml',
});

it('sees a cycle that begins between two questions', async () => {
  let state = 'queued';
  const power = {
    hold: async () => ({ holds: [] }),
    async cycles({ query }: { query: { state: string } }) {
      const isSeen = state === query.state;
      if (query.state === 'running') return { cycles: isSeen ? [{ target: 'rpi-1' }] : [] };
      await setImmediate();
      state = 'running';
      return { cycles: [] };
    },
    controllers: async () => ({ controllers: [] }),
  } as unknown as RebootDeps['power'];
  const deps = { rack, power, report: () => undefined, signal: new AbortController().signal };
  const limits = { quiet: 0, back: 0, betweenLooks: 0 };

  await expect(waitUntilQuiet(deps, 'a test', 'never', limits)).rejects.toThrow(
    'rpi-1: being power-cycled',
  );
});
