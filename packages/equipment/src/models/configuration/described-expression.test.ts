import {
  DescribedExpression,
  SlowExpression,
  sharingTime,
  timely,
  withinTime,
} from '@skolo/base/described-expression';
import { processorTime } from '@skolo/base/testing';
import { describe, expect, it } from 'vitest';
import type { LineRule } from '../contract/backup.ts';
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
});

describe('a volatile rule of rack.yaml', () => {
  const described = (source: string) => new DescribedExpression(source);
  const filler = Array.from({ length: 20_000 }, (_, at) => `set rule ${at} permit`).join('\n');
  const same = (one: string, other: string, volatile: LineRule[]) =>
    isSame(Buffer.from(one), Buffer.from(other), { format: 'text', volatile });

  it.each([
    ['a line', [described('^time '), described('(a+)+$')], '(a+)+$'],
    [
      'the beginning of a block',
      [{ from: described('^(\\w+-?)*!x$'), until: /^end/ }],
      '^(\\w+-?)*!x$',
    ],
    ['the end of a block', [{ from: /^aaa/, until: described('(x*)*y|(a+)+b') }], '(x*)*y|(a+)+b'],
  ])('that takes too long for %s is an error that names it', async (_where, volatile, source) => {
    const slow = `${'a'.repeat(60)}!`;
    const text = (time: number) => `${filler}\n${slow}\n${slow}\n${filler}\ntime ${time}\nend\n`;

    const { ms, result } = await processorTime(100, async () => {
      return await same(text(1), text(2), volatile).catch((error: unknown) => error);
    });

    expect(result).toBeInstanceOf(SlowExpression);
    expect(String(result)).toContain(`the regular expression /${source}/ takes too long`);
    expect(ms).toBeLessThan(1000);
  });

  it.each([
    ['lines', [described('.*seconds')]],
    ['a block', [{ from: described('.*uptime'), until: described('.*the end') }]],
  ])('may take its time for each of many lines: %s', async (_what, volatile) => {
    const line = `access-list outside permit ${'10.0.0.0/8,'.repeat(52)}`;
    const lines = `${line}\n`.repeat(30);
    const text = (n: number) => `${lines}uptime\n${n} seconds\nthe end\n${lines}`;

    expect(await same(text(1), text(2), volatile)).toBe(true);
    expect(await same(text(1), `${text(2)}end\n`, volatile)).toBe(false);
  });

  it('that takes its time for each of very many lines is an error that names it', async () => {
    const line = `${'a'.repeat(15)}!\n`;
    const text = (n: number) => `${line.repeat(8000)}${n}\n`;

    const { ms, result } = await processorTime(2500, async () => {
      return await same(text(1), text(2), [described('(a+)+$')]).catch((error: unknown) => error);
    });

    expect(result).toBeInstanceOf(SlowExpression);
    expect(String(result)).toContain('/(a+)+$/ takes too long');
    expect(ms).toBeLessThan(2500);
  });

  it('finds a line of any length', async () => {
    const line = (n: number) => `certificate ${`${n}`.repeat(200_000)}`;
    const text = (n: number) => `a\n${line(n)}\nb\n`;

    expect(await same(text(1), text(2), [described('^certificate ')])).toBe(true);
    expect(await same(text(1), text(2), [described('^certificates ')])).toBe(false);
  });

  it('finds a block that is longer than a turn', async () => {
    const text = (n: number) => `a\nfrom\n${`${n}\n`.repeat(20_000)}until\nb\n`;
    const rules = [{ from: described('^from'), until: described('^until') }];

    expect(await same(text(1), text(2), rules)).toBe(true);
    expect(await same(text(1), `${text(2)}c\n`, rules)).toBe(false);
  });

  it('gives way to other work', async () => {
    const rules = Array.from({ length: 40 }, (_, at) => described(`^ *no rule ${at}`));
    let turns = 0;
    let isDone = false;
    const count = () => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);

    await same(`${filler}\n1`, `${filler}\n2`, rules);
    isDone = true;

    expect(turns).toBeGreaterThan(3);
  });
});

it('an error of the work goes to its caller', () => {
  const work = () => {
    throw new RangeError('mine');
  };

  expect(() => withinTime(work)).toThrow('mine');
  expect(withinTime(() => withinTime(() => 1))).toBe(1);
});

describe('the error of work that takes too long', () => {
  const spin = () => {
    for (;;);
  };
  const thrownBy = (work: () => unknown) => {
    try {
      return work();
    } catch (error) {
      return String(error);
    }
  };

  it('names no expression that ran in other work', () => {
    new DescribedExpression('^another device').test('x');

    const ofShared = thrownBy(() => sharingTime({ leftMs: 5 }, () => withinTime(spin)));
    const ofTimely = thrownBy(() => timely([new DescribedExpression('^mine')], spin));

    for (const text of [ofShared, ofTimely])
      expect(text).toBe(
        'SlowExpression: the work takes too long, although no regular expression of rack.yaml was tested',
      );
  });

  it('names the last expression that ran in its own time', () => {
    const [one, other] = [{ leftMs: 20 }, { leftMs: 20 }];
    sharingTime(one, () => new DescribedExpression('^one').test('x'));
    sharingTime(other, () => new DescribedExpression('^other').test('x'));

    const text = thrownBy(() => sharingTime(one, () => withinTime(spin, 100)));

    expect(text).toContain('the regular expression /^one/ takes too long');
  });
});
