/** The thread that works on texts. `Texts` starts it, and sends it one job at a time. */
import { parentPort } from 'node:worker_threads';
import { errorText } from '@skolo/base';
import { type Jobs, jobs } from './texts/jobs.ts';

parentPort?.on('message', async ({ name, input }: { name: keyof Jobs; input: never }) => {
  try {
    parentPort?.postMessage({ result: await jobs[name](input) });
  } catch (error) {
    // A stack or a string of the engine became too large.
    parentPort?.postMessage({ error: errorText(error), isTooMuch: error instanceof RangeError });
  }
});
