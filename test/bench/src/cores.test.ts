import { describe, expect, it } from 'vitest';
import { findProgram, parseCpuList, pinned } from './cores.ts';

describe('cores', () => {
  it.each([
    ['0', [0]],
    ['0-3', [0, 1, 2, 3]],
    ['1,4-5,8', [1, 4, 5, 8]],
  ])('%s', (list, expected) => {
    expect(parseCpuList(list)).toEqual(expected);
  });

  it('are pinned where that is possible', () => {
    expect(pinned(['node', 'x.js'], 'server', { server: 2, load: 5 })).toEqual([
      'taskset',
      '--cpu-list',
      '2',
      'node',
      'x.js',
    ]);
    expect(pinned(['wrk'], 'load', { server: 2, load: 5 })).toContain('5');
    expect(pinned(['node'], 'server', undefined)).toContain('node');
  });
});

describe('programs', () => {
  it('are found by PATH', () => {
    expect(findProgram('sh')).toMatch(/^\/.*\/sh$/);
    expect(findProgram('no-such-program')).toBeUndefined();
  });
});
