/**
 * `skolo jumphost prepare` without the command, as a process of its own that a test can kill. Prints a line of JSON for each
 * change of a step. Its argument has what the test knows.
 */
import { readFile } from 'node:fs/promises';
import { isPrepared, prepare } from '@skolo/setup/engine';
import { openTestHost, type TestWorkstation } from '@skolo/setup/k3s/testing';
import { testSteps } from './test-steps.ts';

const [, , file = ''] = process.argv;
const workstation: TestWorkstation = JSON.parse(await readFile(file, 'utf8'));
const { signal } = new AbortController();
const host = await openTestHost(workstation, signal);
try {
  const steps = await prepare(host, testSteps(workstation, signal), {
    isCheck: false,
    signal,
    report(all) {
      const now = all.findLast(({ state }) => state !== 'waiting');
      console.log(JSON.stringify(now));
    },
  });
  process.exitCode = isPrepared(steps) ? 0 : 1;
} finally {
  await host.close();
}
