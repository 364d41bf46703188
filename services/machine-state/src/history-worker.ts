/** The thread with the history's database, which `HistoryThread` starts. It sets a damaged database aside. */
import { parentPort, workerData } from 'node:worker_threads';
import { errorCode, errorText, isDiskFull } from '@skolo/base';
import { z } from 'zod';
import { HistoryUnusable, isDamage, openDatabase, setAside } from './history/database.ts';
import { HistoryJobs } from './history/jobs.ts';

const file = z.string().parse(workerData);
let jobs: HistoryJobs | undefined;

parentPort?.on('message', (job) => {
  if (job !== null) return parentPort?.postMessage(answerTo(job));
  jobs?.close();
  parentPort?.close();
});

/** The job's type stands for all: `HistoryThread` checks that arguments belong to the name. */
function answerTo({ name, args }: { name: 'write'; args: Parameters<HistoryJobs['write']> }) {
  try {
    jobs ??= new HistoryJobs(open());
    return { result: jobs[name](...args) };
  } catch (error) {
    // The next job sets it aside.
    if (isDamage(error)) {
      jobs?.close();
      jobs = undefined;
    }
    return { error: errorText(error), code: isDiskFull(error) ? 'ENOSPC' : errorCode(error) };
  }
}

function open() {
  try {
    return openDatabase(file);
  } catch (error) {
    if (!(error instanceof HistoryUnusable)) throw error;
    const hint = `a new history was started; the previous one was moved to ${setAside(file)}`;
    parentPort?.postMessage({ damage: `${error.message}; ${hint}` });
    return openDatabase(file);
  }
}
