import { describe, expect, it } from 'vitest';
import { whyNoUpgrade } from './version.ts';

describe('whyNoUpgrade', () => {
  it.each([
    ['v1.32.5+k3s1', 'v1.32.5+k3s1'],
    ['v1.32.5+k3s1', 'v1.32.5+k3s2'],
    ['v1.32.5+k3s1', 'v1.32.10+k3s1'],
    ['v1.32.5+k3s1', 'v1.33.0+k3s1'],
    ['v1.30.4+k3s1', 'v1.31.9+k3s1,v1.32.5+k3s1,v1.33.1+k3s1'],
    // A rack that is further than others.
    ['v1.32.1+k3s1', 'v1.31.9+k3s1,v1.32.5+k3s1,v1.33.1+k3s1'],
    ['v1.33.1+k3s1', 'v1.32.5+k3s1,v1.33.1+k3s1'],
  ])('%s → %s is possible', (from, to) => {
    expect(whyNoUpgrade(from, to.split(','))).toBeUndefined();
  });

  it.each([
    ['v1.30.4+k3s1', 'v1.33.1+k3s1', '--k3s v1.31.N+k3s1,v1.32.N+k3s1,v1.33.1+k3s1 (see https://'],
    ['v1.30.4+k3s1', 'v1.31.9+k3s1,v1.33.1+k3s1', 'an upgrade cannot skip minor versions'],
    [
      'v1.30.4+k3s1',
      'v1.31.9+k3s1,v1.32.5+k3s1,v1.33.1+k3s1,v1.34.1+k3s1',
      'upgrade the jumphost and the machines to v1.33.1+k3s1 first',
    ],
    [
      'v1.32.5+k3s1',
      'v2.0.0+k3s1',
      'v2.0.0+k3s1 and the installed v1.32.5+k3s1 have different major versions',
    ],
    ['v1.32.5+k3s2', 'v1.32.5+k3s1', 'an older version cannot read'],
    ['v1.32.10+k3s1', 'v1.32.9+k3s1', 'an older version cannot read'],
    ['v1.33.0+k3s1', 'v1.31.1+k3s1,v1.32.9+k3s1', 'an older version cannot read'],
    ['v1.32.5+k3s1', '1.33', 'is not a k3s version such as'],
    ['v1.32.5-dirty', 'v1.33.0+k3s1', 'is not a k3s release'],
  ])('%s → %s is rejected', (from, to, why) => {
    expect(whyNoUpgrade(from, to.split(','))).toContain(why);
  });
});
