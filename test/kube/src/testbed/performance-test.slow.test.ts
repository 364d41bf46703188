/** The last step of the testbed's pipeline after a service has become slower. It waits for answers for most of a minute. */
import { tempDir } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { performanceTest, serve } from '../testing/performance-test.ts';

it('fails if the service has become slower, also in the next run, until a person accepts that', async () => {
  const results = await tempDir();
  let delayMs = 0;
  const url = await serve((response) => void setTimeout(() => response.end(), delayMs));
  // With six rounds, one in which the computer stalls changes no verdict.
  const settings = { TEST_URL: url, TEST_RATES: '20', TEST_ROUNDS: '6' };
  const test = (run: string, more = {}) =>
    performanceTest(results, { ...settings, RUN: run, ...more });
  expect((await test('run-1')).code).toBe(0);

  // More than twice what a busy computer delays half of the requests.
  delayMs = 1000;
  const slow = await test('run-2');

  expect(slow.code, slow.stdout).toBe(3);
  expect(slow.stdout).toContain('measured again, because they look worse: 20/s');
  const [, inVerdict] =
    /\nworse: p50 at 20 requests a second: (\d+) ms \(median of 12 rounds\), and .* ms before\n/.exec(
      slow.stdout,
    ) ?? [];
  const [, inTable] = /^\| 20 \| [^|]* \| (\d+) /m.exec(slow.stdout) ?? [];
  expect(Number(inVerdict), slow.stdout).toBeGreaterThan(900);
  expect(inVerdict).toBe(inTable);
  expect((await test('run-3')).code).toBe(3);
  const accepted = await test('run-4', { TEST_BASELINE_FROM: 'run-2' });
  expect(accepted.stdout).toContain('Compared with run-2.');
  expect(accepted.code, accepted.stdout).toBe(0);
});
