import { expect, it } from 'vitest';
import { writtenBytes } from './disk.ts';

it('what a process has written is read from /proc', () => {
  expect(writtenBytes(process.pid)).toBeGreaterThanOrEqual(0);
  expect(() => writtenBytes(2 ** 30)).toThrow('ENOENT');
});
