/** TESTED.md is made from docs/reference/tested.yaml, and names tests that exist. `npm run generate` writes it. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { readTables } from '../../../../packages/equipment/generate/tables.ts';
import { proofs } from '../../../../packages/equipment/src/models/testing/proofs.ts';
import { dataAt, pageAt, tableOf } from './page.ts';

const run = z.enum(['every', 'long', 'manual']).default('every');
const Tested = z.strictObject({
  capabilities: z.record(
    z.string(),
    z.array(
      z.strictObject({
        what: z.string(),
        run,
        /** A file, and text of the name of a test in it. */
        test: z.templateLiteral([z.string(), '.test.ts > ', z.string()]),
      }),
    ),
  ),
  parts: z.record(
    z.string(),
    z.strictObject({
      tested: z
        .array(
          z.strictObject({
            what: z.string(),
            with: z.string(),
            test: z.string().optional(),
            run,
          }),
        )
        .min(1),
      notTested: z.array(z.string()).min(1),
    }),
  ),
});

const { capabilities, parts } = dataAt('docs/reference/tested.yaml', Tested);

function linkTo(file: string): string {
  return `[${file.slice(file.lastIndexOf('/') + 1)}](${file})`;
}

function whenRun(run: string, test = ''): string {
  const [file = ''] = test.split(' > ');
  return run === 'every' && file.endsWith('.slow.test.ts') ? 'slow' : run;
}

/** What each model's parts were tested with, by its proof, or that of its table. */
function partsOfModels(): { part: string; model: string; counterpart: string }[] {
  const own = [...proofs].flatMap(([model, { testedWith }]) =>
    Object.entries(testedWith).map(([part, counterpart]) => ({ part, model, counterpart })),
  );
  const tables = readTables().map(({ table: { name: model, base }, proof }) => {
    const { agrees, recorded } = proof;
    if (agrees !== undefined) {
      const author = /^fence_/.test(agrees.driver) ? 'fence-agents' : agrees.driver.split('.')[0];
      return { part: 'outlets', model, counterpart: `the driver of ${author}` };
    }
    if (base !== 'generic')
      return { part: 'outlets', model, counterpart: 'a simulator written from its documents' };
    const sessions = 'sessions with real equipment, recorded by users of Oxidized, where available';
    return { part: 'backups', model, counterpart: recorded ? sessions : 'nothing' };
  });
  return [...own, ...tables];
}

function rowsOfModels(): string[][] {
  const groups = Map.groupBy(
    partsOfModels(),
    ({ part, counterpart }) => `${part} | ${counterpart}`,
  );
  return [...groups.values()]
    .map((each) => {
      const names = each.map(({ model }) => `\`${model}\``).sort();
      return [each[0]?.part ?? '', names.join(', '), each[0]?.counterpart ?? ''];
    })
    .sort(([a = '', b = ''], [c = '', d = '']) => (a === c ? (b < d ? -1 : 1) : a < c ? -1 : 1));
}

it('TESTED.md is current', async () => {
  const sections = Object.entries(parts).map(([part, { tested, notTested }]) => {
    const rows = tested.map(({ what, with: counterpart, test, run }) => [
      what,
      counterpart,
      whenRun(run, test),
      test === undefined ? '' : linkTo(test),
    ]);
    return `## ${part}\n\n${tableOf(['subject', 'tested with', 'run', 'test'], rows)}\nNot tested: ${notTested.join('; ')}.\n`;
  });
  const promised = Object.entries(capabilities).flatMap(([of, each]) =>
    each.map(({ what, run, test }) => [
      of,
      what,
      whenRun(run, test),
      linkTo(test.split(' > ')[0] ?? ''),
    ]),
  );
  const page = `<!-- Made by \`npm run generate\` from docs/reference/tested.yaml, and of the proofs of models. Do not edit. -->

# Test coverage and counterparts

**No part of skolo has been tested with a real switch, PDU, phone, Raspberry Pi, k3s cluster, Swarming server or bot yet.** Jumphosts have been tested
only on Debian 12. [Evidence files](docs/proofs/README.md) record which models were verified on real hardware.

The column “run” contains \`every\` for \`npm test\`, \`weekly\` for \`npm test\` on one day of the week, \`long\` for \`npm run test:long\`, and \`manual\` for tests that
people ran. For the results of random tests, see [Fault-injection tests](docs/reference/measurements.md#fault-injection-tests).

## Capabilities

The design documents of the systems that skolo replaces promise these. Each has a test at the edge that its users meet.

${tableOf(['of', 'capability', 'run', 'test'], promised)}
${sections.join('\n')}
## Equipment models

${tableOf(['part', 'models', 'tested with'], rowsOfModels())}`;

  await expect(page).toMatchFileSnapshot(pageAt('TESTED.md'));
});

it('each test that it names exists, and runs when it says', () => {
  const named = Object.values(parts).flatMap(({ tested }) =>
    tested.flatMap(({ test, run }) => (test === undefined ? [] : { test, run })),
  );
  const missing = named.filter(({ test }) => !existsSync(pageAt(test)));
  const seldom = named.filter(({ test, run }) => run === 'every' && isOnlyLong(test));

  expect(named.length).toBeGreaterThan(50);
  expect(missing).toEqual([]);
  expect(seldom).toEqual([]);
});

const onlyLong = /\.skipIf\(((?!\)\().)*\bquick\b/;

/** No test of the file runs in `npm test`. */
function isOnlyLong(file: string): boolean {
  if (!file.endsWith('.ts')) return false;
  const text = readFileSync(pageAt(file), 'utf8');
  const [, why = ''] = /^const why = (.*)/m.exec(text) ?? [];
  const tests = text.match(/^(it|describe)\b.*/gm) ?? [];
  return tests.every((test) => onlyLong.test(test.replace('why', () => why)));
}

it.each(Object.values(capabilities).flat())('$test', ({ test, run }) => {
  const [file = '', name = ''] = test.split(' > ');
  const text = readFileSync(pageAt(file), 'utf8');
  const [before = '', ...others] = text.split(name);
  const own = before.split(/^ *(?=it\b|describe\b)/m).at(-1) ?? '';

  expect(others).not.toEqual([]);
  if (isOnlyLong(file) || onlyLong.test(own)) expect(run).toBe('long');
});
