/** The thread that works on texts. `Texts` starts it, and sends it one job at a time. */
import { parentPort } from 'node:worker_threads';
import { errorText } from '@skolo/base';
import { type Answer, type Inputs, type JobName, jobs } from './texts/jobs.ts';

parentPort?.on('message', (job) => parentPort?.postMessage(answerTo(job)));

function answerTo<N extends JobName>({ name, input }: { name: N; input: Inputs[N] }): Answer<N> {
  try {
    return { result: jobs[name](input) };
  } catch (error) {
    return { error: errorText(error), isTooMuch: error instanceof RangeError };
  }
}
