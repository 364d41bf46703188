/** Whoever may look may ask for names, and must not keep the daemon busy with them. */
import { parseRack } from '@skolo/rack';
import { describe, expect, it } from 'vitest';
import { rackYaml } from '../testing/daemon.ts';
import { findTargets } from './targets.ts';

const rack = parseRack(rackYaml('machines: { a: { kind: host, address: 127.0.1.1 } }'), {
  file: '/rack.yaml',
});

describe('names that stand for too many', () => {
  it('together are rejected as soon as they do', () => {
    const written = Array.from({ length: 1000 }, (_, n) => `x${n}-[0-9999]`);

    const { targets, unknown } = findTargets(rack, ['a', ...written]);

    expect(targets.map(({ name }) => name)).toEqual(['a']);
    expect(unknown.length).toBeLessThanOrEqual(10_001);
    expect(unknown.at(-1)).toEqual({
      name: 'x0-[0-9999]',
      why: 'together with the previous names, this range expands to more than 10000 names; send fewer names per request',
    });
  });
});
