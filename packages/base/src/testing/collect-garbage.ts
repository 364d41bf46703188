import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Collects what nobody holds any more, and runs what follows from it, as a busy process does at any moment. */
export async function collectGarbage(): Promise<void> {
  for (let i = 0; i < 5; i += 1) {
    collect();
    await setImmediate();
  }
}
