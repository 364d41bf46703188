/** A cluster is measured: the programs run for real, on this computer's disk and processor, and in a network of the test. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PodNetwork, startPodNetwork, whyNoPodNetwork } from '../testing/pod-network.ts';
import { type Measured, measure } from './measure.ts';

describe.skipIf(whyNoPodNetwork())('a cluster of a test', () => {
  let network: PodNetwork;
  let found: Measured;
  beforeAll(async () => {
    network = await startPodNetwork(['host01', 'host02', 'host03']);
    const { signal } = new AbortController();
    found = await measure({
      server: network.server,
      allPairs: false,
      seconds: 1,
      signal,
      report() {},
      async open({ name }) {
        if (name === 'host03') throw new Error('host03: is off');
        return network.node;
      },
    });
  });
  afterAll(() => network?.close());

  it('is measured, but for what is off', () => {
    const of = (wanted: string) =>
      found.figures.filter(({ name }) => name === wanted).map(({ where }) => where);

    expect(found.failed).toEqual([{ what: 'ssh', where: 'host03', why: 'is off' }]);
    expect(of('fsync p99')).toEqual(['host01', 'host02']);
    expect(of('all cores')).toEqual(['host01', 'host02']);
    expect(of('network')).toEqual(['host01 → host02', 'host02 → host01']);
    expect(of('API write p99')).toEqual(['host01']);
    expect(of('pod start')).toEqual(['host01', 'host02', 'host03']);
    expect(found.figures.every(({ value }) => value > 0)).toBe(true);
  });

  it('leaves nothing behind', async () => {
    await expect
      .poll(() => network.plane.kubectl(['get', 'namespace', 'skolo-bench', '--ignore-not-found']))
      .toBe('');
    expect(await network.node.need('ls -A /var/lib | grep skolo-bench || true')).toBe('');
  });
});
