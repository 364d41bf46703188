import { DescribedExpression, withinTime } from '@skolo/base/described-expression';
import { processorTime } from '@skolo/base/testing';
import { describe, expect, it } from 'vitest';
import { isSame } from './text.ts';

describe('an expression of rack.yaml', () => {
  it('matches as any other', () => {
    const expression = new DescribedExpression('^(?<state>on|off)$');

    expect(expression.test('on')).toBe(true);
    expect(expression.exec('off')?.groups).toEqual({ state: 'off' });
    expect('on'.replace(expression, 'x')).toBe('x');
    expect(expression.test('other')).toBe(false);
  });

  it('matches nothing in more than 64 KiB, not even the beginning', () => {
    expect(new DescribedExpression('^a').test('a'.repeat(65_536))).toBe(true);
    expect(new DescribedExpression('^a').test('a'.repeat(65_537))).toBe(false);
  });

  it.each([
    ['(a+)+$', 'a'.repeat(60_000)],
    ['^(\\w+\\s?)*$', 'a '.repeat(30_000)],
    ['(x*)*y', 'x'.repeat(60_000)],
    ['a.*b.*c.*d', 'ab'.repeat(30_000)],
  ])('that takes too long matches nothing: %s', async (source, text) => {
    const expression = new DescribedExpression(source);

    const { ms, result } = await processorTime(100, () => expression.test(`${text}!`));

    expect(result).toBe(false);
    expect(ms).toBeLessThan(100);
  });

  it('that takes too long makes no line volatile, and a quick one does', async () => {
    const [one, other] = ['time 1\nend\n', 'time 2\nend\n'].map((text) =>
      Buffer.from(`${'a'.repeat(100)}!\n${text}`),
    );
    const same = async (...sources: string[]) => {
      const volatile = sources.map((source) => new DescribedExpression(source));
      return await isSame(one ?? Buffer.alloc(0), other ?? Buffer.alloc(0), {
        format: 'text',
        volatile,
      });
    };

    expect(await same('^time ')).toBe(true);
    expect(await same('^time ', '(a+)+$')).toBe(false);
  });
});

it('an error of the work goes to its caller', () => {
  const work = () => {
    throw new RangeError('mine');
  };

  expect(() => withinTime(work)).toThrow('mine');
  expect(withinTime(() => withinTime(() => 1))).toBe(1);
});
