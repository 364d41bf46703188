/** Comparing runs, and what is kept of them. A cluster is measured in bench.slow.test.ts. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seeded } from '@skolo/base/durable/fault-injection';
import { testSeed } from '@skolo/base/testing';
import type { Host } from '@skolo/setup/engine';
import { describe, expect, it } from 'vitest';
import { type Figure, measure, pairsOf } from './measure.ts';
import { barOf, plotOf, short } from './plot.ts';
import { compared, earlierRuns, type Run, remarksOn, writeRun } from './runs.ts';

const fsync = (value: number, where = 'host01'): Figure => ({
  name: 'fsync p99',
  where,
  value,
  unit: 'ms',
  better: 'lower',
});
const runOf = (figures: Figure[], at = '2026-11-22T10:00:00.000Z'): Run => ({
  cluster: 'pis',
  at,
  versions: ['v1.32.5+k3s1'],
  figures,
});

describe('a run', () => {
  it('is kept, and found again among others and damaged ones', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'skolo-bench-'));
    const path = await writeRun(folder, runOf([fsync(3)]));
    await writeRun(folder, { ...runOf([fsync(9)], '2026-11-22T11:00:00.000Z'), cluster: 'other' });
    await writeFile(join(folder, '2020.json'), '{"cluster":');

    expect(await earlierRuns(folder, 'pis')).toEqual([runOf([fsync(3)])]);
    expect(await earlierRuns(join(folder, 'none'), 'pis')).toEqual([]);
    expect(await readFile(`${path}.json`, 'utf8')).toContain('"fsync p99"');
    await rm(folder, { recursive: true });
  });

  it.each([
    [3, 'unchanged'],
    [3.9, 'unchanged'],
    [5, 'worse'],
    [1, 'better'],
  ])('of %d ms beside 2 to 4 ms is %s', (value, verdict) => {
    const earlier = [2, 3, 3, 3, 4].map((each) => runOf([fsync(each), fsync(99, 'host02')]));

    expect(compared([fsync(value)], earlier)).toMatchObject([
      { verdict, earlier: { median: 3, least: 2, most: 4, runs: 5 } },
    ]);
  });

  it('is not judged beside four others', () => {
    const earlier = [2, 3, 3, 4].map((each) => runOf([fsync(each)]));

    expect(compared([fsync(50)], earlier)).toMatchObject([{ verdict: undefined }]);
  });

  it(`calls at most 3% of unchanged figures worse, where they vary by a tenth`, () => {
    const random = seeded(testSeed());
    // A spread of a tenth: the sum of twelve is nearly normal.
    const around = () => 10 + Array.from({ length: 12 }, random).reduce((a, b) => a + b, -6);
    // As many figures as make 3% eight standard deviations more than the usual 1.5%.
    const runs = Array.from({ length: 50 }, () =>
      runOf(Array.from({ length: 100 }, (_, i) => fsync(around(), `host${i}`))),
    );

    const judged = runs.flatMap(({ figures }, at) =>
      at < 10 ? [] : compared(figures, runs.slice(at - 10, at)),
    );

    expect(judged).toHaveLength(4000);
    expect(judged.filter(({ verdict }) => verdict === 'worse').length).toBeLessThanOrEqual(120);
  });

  it('has nothing to be compared with the first time', () => {
    expect(compared([fsync(3)], [])).toMatchObject([{ earlier: undefined, verdict: undefined }]);
  });

  it('says that a card is too slow for a database', () => {
    expect(remarksOn([fsync(9), fsync(80, 'host02')], 'host01')).toEqual([]);
    expect(remarksOn([fsync(80)], 'host01')).toEqual([
      expect.stringContaining(
        '80 ms (p99), but the database of the cluster requires less than 10 ms',
      ),
    ]);
  });

  it('is plotted, and names cannot break out of the plot', () => {
    const earlier = [2, 4].map((each) => runOf([fsync(each)]));

    const svg = plotOf('a<b&c', compared([fsync(8), fsync(2, 'host02')], earlier));

    expect(svg).toContain('a&lt;b&amp;c');
    expect(svg.match(/<rect x=/g)).toHaveLength(2);
    // The longest bar has all of the width, and the spread of earlier runs is on it.
    expect(svg).toContain('width="420.0"');
    expect(svg).toContain('<path d="M355.0');
    expect([barOf(1, 2, 4), barOf(0, 0), short(0.01234), short(123.4)]).toEqual([
      ...['██', '', '0.012', '123'],
    ]);
  });

  it('measures each node with the next, or every pair', () => {
    expect(pairsOf(['a', 'b', 'c'], false)).toEqual([
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'a'],
    ]);
    expect(pairsOf(['a', 'b', 'c'], true)).toHaveLength(6);
    expect(pairsOf(['a'], true)).toEqual([]);
  });
});

it('keeps what was measured where no namespace can be made, and says why', async () => {
  const node = {
    metadata: { name: 'host01' },
    spec: {},
    status: { nodeInfo: { kubeletVersion: 'v1.32.5+k3s1', architecture: 'arm64' } },
  };
  const server: Host = {
    name: 'host01',
    async need(script) {
      if (script.includes('get nodes')) return JSON.stringify({ items: [node] });
      if (script.includes('perl - disk')) return '{"fsyncMsP50":1,"fsyncMsP99":2,"writeMBs":3}';
      throw new Error('host01: forbidden');
    },
    run: async () => ({ code: 1, stdout: '', stderr: '' }),
    write: async () => {},
    read: async () => undefined,
  };
  const { signal } = new AbortController();
  const how = { server, allPairs: false, seconds: 1, signal, open: async () => server };

  const { figures, failed } = await measure({ ...how, report() {} });

  expect(figures.map(({ name, value }) => [name, value])).toEqual([
    ['fsync p50', 1],
    ['fsync p99', 2],
    ['disk write', 3],
  ]);
  expect(failed).toEqual([
    { what: 'processor', where: 'host01', why: 'forbidden' },
    { what: 'namespace skolo-bench', where: 'host01', why: 'forbidden' },
  ]);
});
