import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './node.mjs';
import { leftOut, sampledTests, sampleOfDay } from './sampled-tests.mjs';

it('runs each expensive file once in five days, and others always', () => {
  const days = [0, 1, 2, 3, 4].map((day) => leftOut(sampleOfDay(Date.UTC(2026, 10, 27 + day))));

  expect(sampledTests.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  for (const file of sampledTests) {
    expect(days.filter((files) => files.includes(file))).toHaveLength(4);
  }
  expect(days.flat()).toHaveLength(4 * sampledTests.length);
  expect(leftOut(undefined)).toEqual([]);
  expect(() => leftOut('5')).toThrow('SKOLO_SAMPLE=5: it is 0 to 4');
});
