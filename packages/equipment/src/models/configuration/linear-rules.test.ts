/** A hostile device chooses the lines that are masked, so no rule's time may grow with the square of their length. */
import { describe, expect, it } from 'vitest';
import { loadBackups } from '../load.ts';
import { allRules, endsWithin, findsSoon, length } from '../testing/linear-rules.ts';
import { createMask } from './mask.ts';

describe('rules', () => {
  it.each([
    ['edgeswitch', 'auth-'],
    ['eos', 'radsec '],
    ['junos', '-password'],
  ])('of %s end soon where it repeats %j', async (model, pump) => {
    const rules = [...(await allRules())].filter(([name]) => name.startsWith(`${model} `));
    const text = `${pump.repeat(length / pump.length)}!`;
    const late: string[] = [];

    for (const [name, rule] of rules) if (!(await findsSoon(rule, text))) late.push(name);

    expect(late).toEqual([]);
  });

  it.each([
    ['empty lines', '\n'.repeat(1 << 20)],
    ['short lines', 'a\n'.repeat(1 << 19)],
    ['lines that are all different', Array.from({ length: 1 << 17 }, (_, n) => `s${n}`).join('\n')],
    ['secrets in one line', 'key a1, '.repeat(1 << 16)],
    ['masks in one line', '<secret abcdef> key a1, '.repeat(1 << 15)],
    ['a block without an end', `-----BEGIN RSA PRIVATE KEY-----\n${'a\n'.repeat(1 << 19)}`],
  ])('mask %s in a moment', async (_what, text) => {
    const { secrets } = (await loadBackups()).get('cisco-ios')?.({
      ...{ name: 'switch-1', model: 'cisco-ios', ports: {}, transport: 'ssh', options: {} },
    }) ?? { secrets: [] };
    const mask = () => createMask(Buffer.alloc(32, 1)).text(text, secrets);

    expect(await endsWithin(10_000, mask)).toBe(true);
  });
});
