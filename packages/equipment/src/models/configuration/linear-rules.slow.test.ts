import { expect, it } from 'vitest';
import { allRules, findsSoon, length, pumpsOf } from '../testing/linear-rules.ts';

it('rules end soon, whatever a device repeats', async () => {
  const rules = await allRules();
  const late: string[] = [];
  for (const [name, rule] of rules) {
    for (const pump of pumpsOf(rule)) {
      const text = pump.repeat(length / pump.length);
      for (const end of ['', ' ', '!']) {
        if (!(await findsSoon(rule, text + end))) late.push(`${name}: ${JSON.stringify(pump)}`);
      }
    }
  }

  expect(rules.size).toBeGreaterThan(60);
  expect(late).toEqual([]);
});
