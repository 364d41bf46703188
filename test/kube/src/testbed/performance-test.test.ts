/** The last step of the testbed's pipeline, as it runs in the cluster: against the demo, on loopback. */

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { run, tempDir, untilTestEnds } from '@skolo/base/testing';
import { describe, expect, it } from 'vitest';
import { startDemo } from '../../../../kube/testbed/demo/service.ts';
import { analyse, type Objective } from '../../../../kube/testbed/pipeline/analysis.ts';
import { offerLoad, type Sample } from '../../../../kube/testbed/pipeline/load.ts';
import { readRuns } from '../../../../kube/testbed/pipeline/runs.ts';
import { kubeFolder } from '../kustomize.ts';
import { performanceTest, serve } from '../testing/performance-test.ts';

const { signal } = new AbortController();

describe('the performance test', () => {
  it('measures the demo, draws plots, and compares the next run with it', async () => {
    const results = await tempDir();
    const url = await demoUrl('/primes?below=1000');

    const first = await performanceTest(results, { RUN: 'run-1', TEST_URL: url });
    const second = await performanceTest(results, { RUN: 'run-2', TEST_URL: url });

    expect(first.code).toBe(0);
    expect(first.stdout).toContain('round 2, 60/s: ');
    expect(first.stdout).toContain('up to 60 requests a second');
    expect(first.stdout).toContain('There is no earlier run to compare with.');
    expect(second.stdout).toContain('Compared with run-1. There are fewer than 3');
    expect(await readdir(results)).toEqual(['index.html', 'run-1', 'run-2']);
    expect(await readdir(join(results, 'run-2'))).toEqual([
      'index.html',
      'latency.svg',
      'report.md',
      'result.json',
      'throughput.svg',
    ]);
    const [, last] = await readRuns(results);
    expect(last).toMatchObject({ run: 'run-2', knee: 60, baseline: ['run-1'], subject: url });
    expect(last?.levels.map(({ rate, rounds }) => [rate, rounds])).toEqual([
      [30, 2],
      [60, 2],
    ]);
    const plot = await readFile(join(results, 'run-2/latency.svg'), 'utf8');
    expect(plot.match(/<polyline/g)).toHaveLength(3);
    expect(plot).not.toMatch(/NaN|Infinity|undefined/);
    expect(await readFile(join(results, 'index.html'), 'utf8')).toMatch(/run-2[\s\S]*run-1/);
  });

  it('publishes a run that misses the objective, and fails', async () => {
    const results = await tempDir();
    const url = await demoUrl('/primes?below=1000');

    const { code, stdout } = await performanceTest(results, {
      RUN: 'run-1',
      TEST_URL: url,
      TEST_RATES: '20',
      TEST_P99_MS: '0.001',
    });

    expect(code).toBe(1);
    expect(stdout).toContain('does not meet the objective');
    // The end of a log is what is shown of a step that failed.
    expect(stdout).toMatch(/\nthe service misses its objective at 20 requests a second\n$/);
    expect(await readdir(join(results, 'run-1'))).toContain('latency.svg');
  });

  it.each([
    { what: 'a service that does not respond', env: {}, says: 'no request was answered with 200' },
    {
      what: 'a wrong setting',
      env: { TEST_RATES: '20,fast' },
      says: 'TEST_RATES: "fast" is not a number above 0',
    },
  ])('says what is wrong with $what, and publishes nothing', async ({ env, says }) => {
    const results = await tempDir();
    const url = await demoUrl('/nothing');

    const { code, stderr } = await performanceTest(results, {
      RUN: 'run-1',
      TEST_URL: url,
      ...env,
    });

    expect(code).toBe(1);
    expect(stderr).toContain(says);
    expect(await readdir(results)).toEqual([]);
  });
});

it('measures a demo that passes its own tests, which run while its image is built', async () => {
  const cwd = join(kubeFolder, 'testbed/demo');

  const { stdout } = await run(process.execPath, ['--test'], { cwd });

  expect(stdout).toMatch(/fail 0/);
});

describe('offerLoad', () => {
  it('sends on while nothing is answered, and counts the wait', async () => {
    const waiting: ServerResponse[] = [];
    const url = await serve((response) => {
      waiting.push(response);
      // Those that wait for an answer before they send the next one would wait for ever.
      if (waiting.length === 20) for (const each of waiting) each.end();
    });

    const sample = await offerLoad({ url, rate: 100, seconds: 0.2, timeoutMs: 60_000 }, signal);

    expect(sample).toMatchObject({ rate: 100, sent: 20, failed: 0 });
    // The first was due 190 ms before the last.
    expect(sample.latencyMs.max).toBeGreaterThan(189);
  });

  it('counts what is not answered in time, or with another status, as failed', async () => {
    let count = 0;
    const url = await serve((response) => {
      count += 1;
      if (count % 2 === 0) response.writeHead(503).end();
    });

    const sample = await offerLoad({ url, rate: 100, seconds: 0.1, timeoutMs: 500 }, signal);

    expect(sample).toMatchObject({ sent: 10, failed: 10, achieved: 0 });
    expect(sample.latencyMs).toEqual({ p10: 0, p50: 0, p90: 0, p99: 0, max: 0 });
  });
});

describe('analyse', () => {
  const objective: Objective = { p99Ms: 100, answeredShare: 0.999 };

  it('finds the knee, and does not look beyond it', () => {
    const { knee, saturation } = analyse(
      // A later level may look well by chance.
      [rounds(100, [10, 12, 90]), rounds(200, [90, 120, 130]), rounds(400, [50, 50, 50])].flat(),
      objective,
    );

    expect({ knee, saturation }).toEqual({ knee: 100, saturation: 400 });
  });

  it('has no knee if the lowest rate misses the objective', () => {
    expect(analyse(rounds(100, [500]), objective).knee).toBeUndefined();
    expect(analyse([{ ...sample(100, 1), failed: 1 }], objective).knee).toBeUndefined();
  });
});

it('passes over folders of runs that were cut off', async () => {
  const results = await tempDir();
  await mkdir(join(results, 'cut-off'));
  await writeFile(join(results, 'cut-off/result.json'), '{"run":"cut-off"');
  await mkdir(join(results, 'other'));
  await writeFile(join(results, 'other/result.json'), '{"run":"other","levels":[{}]}');

  expect(await readRuns(results)).toEqual([]);
});

function rounds(rate: number, p99s: readonly number[]): Sample[] {
  return p99s.map((p99) => sample(rate, p99));
}

function sample(rate: number, p99: number): Sample {
  const latencyMs = { p10: p99 / 8, p50: p99 / 4, p90: p99 / 2, p99, max: p99 };
  const lateMs = { p10: 0, p50: 0, p99: 0 };
  return { rate, achieved: rate, sent: 100, failed: 0, latencyMs, lateMs };
}

async function demoUrl(path: string): Promise<string> {
  const demo = untilTestEnds(await startDemo({ host: '127.0.0.1', port: 0 }));
  return `http://127.0.0.1:${demo.port}${path}`;
}
