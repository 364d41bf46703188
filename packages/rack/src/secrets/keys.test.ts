import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mountedPath, secretKeys } from './keys.ts';

it.each([
  ['secrets/bots.json', 'secrets/bots.json'],
  ['./secrets//bots.json', 'secrets/bots.json'],
  ['secrets/../tls/key.pem', 'tls/key.pem'],
  ['/etc/skolo/external.json', 'external.json'],
  ['..data', '..data'],
  ['../bots.json', undefined],
  ['..', undefined],
  ['/etc/skolo-old/bots.json', undefined],
  ['/home/ann/adc.json', undefined],
  ['rack.yaml', undefined],
  ['.', undefined],
])('mountedPath: %s is %s', (file, expected) => {
  expect(mountedPath(file)).toBe(expected);
});

describe('secretKeys', () => {
  it('is the path without secrets/, with dots for what a key does not take', () => {
    const keys = secretKeys(['secrets/bots.json', 'tls/key.pem', 'secrets/my key']);

    expect(Object.fromEntries(keys)).toEqual({
      'secrets/bots.json': 'bots.json',
      'tls/key.pem': 'tls.key.pem',
      'secrets/my key': 'my.key',
    });
  });

  it('gives a path another key where the first choice is taken', () => {
    const keys = secretKeys(['secrets/a', 'a', 'TOKEN'], new Set(['TOKEN']));

    expect(keys.get('a')).toBe('a');
    expect(keys.get('secrets/a')).toMatch(/^file-[0-9a-f]{16}$/);
    expect(keys.get('TOKEN')).toMatch(/^file-/);
  });

  it('is a legal key and another one for each path, whatever the paths', () => {
    const path = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.stringMatching(/^(secrets\/)?[a-c./ ]{1,4}$/),
      fc.string({ minLength: 250, maxLength: 300 }),
    );
    fc.assert(
      fc.property(fc.uniqueArray(path), (paths) => {
        const keys = secretKeys(paths);

        expect([...keys.keys()].sort()).toEqual([...paths].sort());
        expect(new Set(keys.values()).size).toBe(paths.length);
        // IsConfigMapKey of k8s.io/apimachinery.
        for (const key of keys.values())
          expect(key).toMatch(/^(?!\.$)(?!\.\.)[-._a-zA-Z0-9]{1,253}$/);
      }),
      runs(100),
    );
  });
});
