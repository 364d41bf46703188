import { describe, expect, it } from 'vitest';
import { resolveId } from './resolve-id.ts';

const ids = [
  '87e70961-ce6a-406c-add5-47c13d18e8d1',
  '87e7ffff-ce6a-406c-add5-47c13d18e8d2',
  '20261121T055050Z-a1b2c3',
];
const resolve = (written: string) =>
  resolveId(ids, written, { noun: 'cycle', list: 'skolo power log' });

describe('resolveId', () => {
  it.each([
    ['87e70961-ce6a-406c-add5-47c13d18e8d1', ids[0]],
    ['87e70961', ids[0]],
    ['47c13d18e8d2', ids[1]],
    ['a1b2c3', ids[2]],
  ])('%s', (written, id) => {
    expect(resolve(written)).toBe(id);
  });

  it.each([
    ['87e7', '87e7: matches 2 cycle IDs; specify more characters'],
    ['2', '2: no such cycle; to list all cycles, run skolo power log'],
    ['ce6a', 'ce6a: no such cycle; to list all cycles, run skolo power log'],
    ['nosuch', 'nosuch: no such cycle; to list all cycles, run skolo power log'],
  ])('%s is rejected', (written, detail) => {
    expect(() => resolve(written)).toThrow(detail);
  });
});
