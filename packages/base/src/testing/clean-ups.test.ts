import { expect, it } from 'vitest';
import { cleanUps } from './clean-ups.ts';

it('is of no use in a test, whose end it would miss', () => {
  expect(() => cleanUps()).toThrow('in a test, use onTestFinished');
});
