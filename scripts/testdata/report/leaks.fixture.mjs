import { it } from 'vitest';

it('passes, and throws afterwards', () => {
  setImmediate(() => {
    throw new Error('too late');
  });
});
