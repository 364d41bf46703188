/** Whether rules of secrets take time that is linear in the length of a text. */
import { runInNewContext } from 'node:vm';
import { isLong } from '@skolo/base/durable/fault-injection';
import { processorTime } from '@skolo/base/testing';
import { commonSecrets } from '../configuration/common-secrets.ts';
import type { SecretRule } from '../contract/backup.ts';
import { loadBackups } from '../load.ts';

/** Bytes of a text. */
export const length = (isLong ? 256 : 64) * 1024;
/** Ends what would never end, in milliseconds. */
const timeout = 900_000;

const options: Record<string, Record<string, unknown>> = {
  linux: { files: ['/etc/**'], exclude: [], sudo: false },
};

/** Returns the rules of all models, by name. */
export async function allRules(): Promise<Map<string, RegExp>> {
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

/** Returns what a line may consist of that the rule almost matches, again and again. */
export function pumpsOf({ source }: RegExp): string[] {
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

/** Reports whether the rule finds all its matches soon: a linear rule in 2 ms, another one in seconds or never. */
export async function findsSoon(rule: RegExp, text: string): Promise<boolean> {
  const everywhere = new RegExp(rule.source, [...new Set(`${rule.flags}g`)].join(''));
  return await endsWithin(isLong ? 2000 : 500, () => {
    for (const _ of text.matchAll(everywhere));
  });
}

/** Reports whether the work takes less processor time, in milliseconds. */
export async function endsWithin(maxMs: number, work: () => unknown): Promise<boolean> {
  try {
    const { ms } = await processorTime(maxMs, () =>
      runInNewContext('work()', { work }, { timeout }),
    );
    return ms < maxMs;
  } catch {
    return false;
  }
}
