import { describe, it } from 'vitest';

describe('an empty table', () => {
  it.each([])('has no rows: %s', () => {});
});
