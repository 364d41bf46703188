import { expect, it } from 'vitest';
import { readBootId } from './boot-id.ts';

it('readBootId is the same all through a boot', () => {
  expect(readBootId()).toMatch(/^[0-9a-f-]{36}$/);
  expect(readBootId()).toBe(readBootId());
});
