import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './node.mjs';
import { leftOut, sampledTests, sampleOfDay } from './sampled-tests.mjs';

it('runs each expensive file once a week, and others always', () => {
  const days = [0, 1, 2, 3, 4, 5, 6].map((day) =>
    leftOut(sampleOfDay(Date.UTC(2026, 10, 27 + day))),
  );

  expect(sampledTests.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  for (const file of sampledTests) {
    expect(days.filter((files) => files.includes(file))).toHaveLength(6);
  }
  expect(days.flat()).toHaveLength(6 * sampledTests.length);
  expect(leftOut(undefined)).toEqual([]);
  expect(() => leftOut('7')).toThrow('SKOLO_SAMPLE=7: it is 0 to 6');
});
