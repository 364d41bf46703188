/** Every request that changes something says what happens if it is sent again: docs/reference/repeated-requests.md is made from it. */
import { expect, it } from 'vitest';
import { changes } from '../testing/changes.ts';

it('is said of each of them', () => {
  const untold = changes.filter(([, { repeated = '' }]) => repeated === '');

  expect(changes.length).toBeGreaterThan(30);
  expect(untold.map(([name]) => name)).toEqual([]);
});

it('is by a key where the request takes one', () => {
  const takesKey = changes.filter(([, { headers }]) =>
    Object.keys(Reflect.get(headers ?? {}, 'shape') ?? {}).includes('idempotency-key'),
  );

  const said = changes.filter(([, { repeated }]) => repeated?.startsWith('key'));
  expect(said.map(([name]) => name)).toEqual(takesKey.map(([name]) => name));
});
