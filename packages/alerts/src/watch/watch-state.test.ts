import { join } from 'node:path';
import { runs, tempDir } from '@skolo/base/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { anyAlert } from '../testing/messages.ts';
import { readWatchState, writeWatchState } from './watch-state.ts';

const location = fc.record(
  { since: fc.nat(), lastHeard: fc.nat(), silent: fc.boolean() },
  { requiredKeys: ['since', 'silent'] },
);
const state = fc.record({
  locations: fc.dictionary(fc.stringMatching(/^[a-z][\w.-]*$/), location),
  firing: fc.array(
    anyAlert.map(({ alert }) => alert),
    { maxLength: 3 },
  ),
  waiting: fc.array(anyAlert, { maxLength: 3 }),
});

it('a watch continues with the state that it has saved', async () => {
  const file = join(await tempDir(), 'state.json');
  await fc.assert(
    fc.asyncProperty(state, async (saved) => {
      await writeWatchState(file, saved);

      expect(await readWatchState(file)).toEqual(saved);
    }),
    runs(100),
  );
});
