import { describe, expect, it } from 'vitest';
import { newestTag, pinsOf, readPins, withPins } from './versions.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const text = `resources: [../../base] # all
images:
  # Its comment stays.
  - name: skolo/swarming-client
    newName: registry.example.com/skolo/swarming-client
    newTag: one
  - name: skolo/swarming-client-canary
    newName: registry.example.com/skolo/swarming-client
    newTag: one
    digest: ${digest}
  - { name: docker.io/prom/prometheus, newTag: v3 }
`;
const pins = readPins(text, 'kustomization.yaml');

describe('versions of images', () => {
  it('are those of the service, on the canary shelf, too', () => {
    expect(pinsOf(pins, ['swarming-client'], 'rack4').map(({ name }) => name)).toEqual([
      'skolo/swarming-client',
      'skolo/swarming-client-canary',
    ]);
    expect(pinsOf(pins, ['swarming-client-canary'], 'rack4')).toHaveLength(1);
    expect(pinsOf(pins, [], 'rack4')).toHaveLength(2);
  });

  it('are rejected for a service that the rack does not have', () => {
    expect(() => pinsOf(pins, ['prometheus'], 'rack4')).toThrow(
      'prometheus: rack4 does not use an image with this name; its images are swarming-client, swarming-client-canary',
    );
  });

  it('are written in place, and everything else stays', () => {
    const [pin] = pins;
    const next = { name: '', repository: '', ...pin, tag: 'two', digest };

    expect(withPins(text, [next])).toBe(
      text.replace('newTag: one\n', `newTag: two\n    digest: ${digest}\n`),
    );
    expect(withPins(withPins(text, [next]), pins)).toBe(text);
    const flow = '{ images: [{ name: a, newTag: one } ] }';
    const pinned = { name: 'a', repository: 'a', tag: 'two', digest };
    expect(withPins(flow, [pinned])).toBe(
      `{ images: [{ name: a, newTag: two, digest: ${digest} } ] }`,
    );
    expect(withPins(withPins(flow, [pinned]), readPins(flow, ''))).toBe(flow);
  });
});

it('the newest tag is the newest build of a clean tree', () => {
  const tags = [
    'latest',
    '2026-11-20T22_40_05Z-ann-295cca0-clean',
    '2026-11-21T08_00_00Z-bob-1234567-clean',
    '2026-11-22T08_00_00Z-bob-1234567-dirty',
  ];

  expect(newestTag(tags)).toBe('2026-11-21T08_00_00Z-bob-1234567-clean');
  expect(newestTag(['latest'])).toBeUndefined();
});
