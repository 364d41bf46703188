/** The last step of the testbed's pipeline, as it runs in the cluster, against a service on loopback. */
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { listen, run } from '@skolo/base/testing';
import { kubeFolder } from '../kustomize.ts';

const step = join(kubeFolder, 'testbed/pipeline/performance-test.ts');

/** Serves answers until the test ends. Returns the URL. */
export async function serve(answer: (response: ServerResponse) => void): Promise<string> {
  const port = await listen(createServer((_request, response) => answer(response)));
  return `http://127.0.0.1:${port}/`;
}

/** Runs the step with the folder of all results. A stalled computer reaches no limit of these settings. */
export async function performanceTest(
  results: string,
  env: Record<string, string>,
): Promise<{ stdout: string; stderr: string; code: number }> {
  const settings = {
    TEST_RATES: '60,30',
    TEST_SECONDS: '0.3',
    TEST_ROUNDS: '2',
    TEST_TIMEOUT_MS: '600000',
    TEST_P99_MS: '600000',
  };
  return await run(process.execPath, [step, results], {
    env: { ...process.env, ...settings, ...env },
  }).then(
    ({ stdout, stderr }) => ({ stdout, stderr, code: 0 }),
    ({ stdout, stderr, code }: { stdout: string; stderr: string; code: number }) => ({
      stdout,
      stderr,
      code,
    }),
  );
}
