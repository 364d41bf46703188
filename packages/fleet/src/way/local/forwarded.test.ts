import { expect, it } from 'vitest';
import { markForwarded } from './forwarded.ts';

it('marks a request, whatever its sender says of itself', () => {
  const said: [string, string][] = [
    ['Host', 'metadata'],
    ['X-Forwarded-For', '127.0.0.1'],
    ['Forwarded', 'for=127.0.0.1'],
    ['VIA', '1.1 proxy'],
  ];

  expect(markForwarded(said)).toEqual([
    ['Host', 'metadata'],
    ['forwarded', 'for=unknown'],
    ['x-forwarded-for', 'unknown'],
  ]);
});
