import { expect, it } from 'vitest';
import { readHealth } from '../survey/rack-health.ts';
import { untilAsHealthy } from './health-gate.ts';

function answer(...samples: [figure: string, labels: object][]): string {
  const result = samples.map(([figure, labels]) => ({
    metric: { figure, ...labels },
    value: [1, '1'],
  }));
  return JSON.stringify({ data: { resultType: 'vector', result } });
}

/** What a push reports that compares these answers. */
async function compare(before: string, after: string): Promise<string[]> {
  const lines: string[] = [];
  await untilAsHealthy(readHealth(before), {
    rack: { name: 'rack1', kubectl: async () => after },
    plan: { objects: [], deletions: [], unhealthy: [], silent: [], held: [] },
    times: { pollMs: 1, readyMs: 1 },
    signal: new AbortController().signal,
    report: (text) => void lines.push(text),
    start: performance.now(),
  });
  return lines;
}

const agent = (machine: string) => ['health', { machine, verdict: 'ok' }] as [string, object];

it('says if a push was begun by a version that did not store the health of each machine', async () => {
  const after = answer(agent('rpi-1'));

  expect(await compare(answer(['health', { verdict: 'ok' }]), after)).toEqual([
    expect.stringMatching(/^what agents report is not compared, because an earlier version/),
  ]);
  expect(await compare(answer(agent('rpi-1')), after)).toEqual([]);
  expect(await compare(answer(), after)).toEqual([]);
});
