/** A hostile device chooses the lines that are masked, so no rule's time may grow with the square of their length. */

import { runInNewContext } from 'node:vm';
import { isLong, seeded } from '@skolo/base/durable/fault-injection';
import { testSeed } from '@skolo/base/testing';
import { describe, expect, it } from 'vitest';
import type { SecretRule } from '../contract/backup.ts';
import { loadBackups } from '../load.ts';
import { commonSecrets } from './common-secrets.ts';
import { createMask } from './mask.ts';

const length = 256 * 1024;
/** A linear rule takes 5 ms. One that is not takes minutes, and is ended. */
const timeout = 60_000;

const options: Record<string, Record<string, unknown>> = {
  linux: { files: ['/etc/**'], exclude: [], sudo: false },
};

async function allRules(): Promise<Map<string, RegExp>> {
  const rules = new Map<string, RegExp>();
  const add = (model: string, secrets: readonly SecretRule[]) => {
    for (const rule of secrets) {
      for (const each of rule instanceof RegExp ? [rule] : Object.values(rule)) {
        rules.set(`${model} ${each.flags} ${each.source}`, each);
      }
    }
  };
  add('common', commonSecrets);
  for (const [model, create] of await loadBackups()) {
    // Its rules are in rack.yaml.
    if (model === 'generic') continue;
    const device = { name: 'switch-1', model, ports: {}, transport: 'ssh' as const };
    add(model, create({ ...device, options: options[model] ?? {} }).secrets);
  }
  return rules;
}

/** What a line may consist of that the rule almost matches, again and again. */
function pumpsOf({ source }: RegExp): string[] {
  const words = source
    .replace(/\(\?<?[=!:]/g, '(')
    .replace(/\\[bBdDsSwW]/g, '|')
    .replace(/\\(.)/g, '$1')
    .match(/[\w.:$/<>=-]{2,}/g);
  const forms = ['§', '§ ', ' §', '§-', '-§', '§=', '§ "', '§ a ', '§ 1 '];
  const ofWords = [...new Set(words)].flatMap((word) =>
    forms.map((form) => form.replace('§', word)),
  );
  return [' ', 'a', '"', '\\', 'a.', 'a"', "a'", '://', 'x://a:', ...ofWords];
}

function endsInTime(rule: RegExp, text: string): boolean {
  const everywhere = new RegExp(rule.source, [...new Set(`${rule.flags}g`)].join(''));
  try {
    runInNewContext(
      'for (const _ of text.matchAll(everywhere));',
      { text, everywhere },
      { timeout },
    );
    return true;
  } catch {
    return false;
  }
}

describe('rules', () => {
  it(`end soon, whatever a device repeats`, async () => {
    const random = seeded(testSeed());
    const rules = await allRules();
    const late: string[] = [];
    for (const [name, rule] of rules) {
      const pumps = pumpsOf(rule);
      const some = isLong
        ? pumps
        : [0, 1].map(() => pumps[Math.floor(random() * pumps.length)] ?? '');
      for (const pump of some) {
        const text = pump.repeat(length / pump.length);
        for (const end of ['', ' ', '!']) {
          if (!endsInTime(rule, text + end)) late.push(`${name}: ${JSON.stringify(pump)}`);
        }
      }
    }

    expect(rules.size).toBeGreaterThan(60);
    expect(late).toEqual([]);
  });

  it.each([
    ['edgeswitch', 'auth-'],
    ['eos', 'radsec '],
    ['junos', '-password'],
  ])('of %s end soon where it repeats %j', async (model, pump) => {
    const rules = [...(await allRules())].filter(([name]) => name.startsWith(`${model} `));
    const text = `${pump.repeat(length / pump.length)}!`;

    expect(rules.filter(([, rule]) => !endsInTime(rule, text)).map(([name]) => name)).toEqual([]);
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

    expect(() => runInNewContext('mask()', { mask }, { timeout })).not.toThrow();
  });
});
