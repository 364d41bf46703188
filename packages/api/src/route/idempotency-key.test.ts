/** docs/reference/repeated-requests.md describes the effect of repeating every request that changes something. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { changes } from '../testing/changes.ts';

const page = await readFile(
  new URL('../../../../docs/reference/repeated-requests.md', import.meta.url),
  'utf8',
);
const rows = page.split('\n').filter((line) => line.startsWith('|'));

it('is said of each of them, as often as there are services with it, and of no other', () => {
  const told = rows.flatMap((row) => row.split('|')[2]?.match(/(?:POST|PUT|DELETE) [^`]+/g) ?? []);

  const known = changes.map(([, { method, path }]) => `${method.toUpperCase()} ${path}`);
  expect(known.length).toBeGreaterThan(30);
  expect(told.sort()).toEqual(known.sort());
});

it('is by a key where the request takes one', () => {
  const takesKey = changes.filter(([, { headers }]) =>
    Object.keys(Reflect.get(headers ?? {}, 'shape') ?? {}).includes('idempotency-key'),
  );

  const paths = rows
    .filter((row) => row.split('|')[3]?.trim().startsWith('key'))
    .map((row) => /`(?:POST|PUT|DELETE) ([^`]+)`/.exec(row)?.[1]);
  expect(paths.sort()).toEqual(takesKey.map(([, { path }]) => path).sort());
});
