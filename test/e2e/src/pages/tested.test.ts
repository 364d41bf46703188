/** TESTED.md is made from docs/reference/tested.yaml, and names tests that exist. `npm run generate` writes it. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { readTables } from '../../../../packages/equipment/generate/tables.ts';
import { proofs } from '../../../../packages/equipment/src/models/testing/proofs.ts';
import { dataAt, pageAt, tableOf } from './page.ts';

/** Only for what the name of the test's file does not say. */
const run = z.enum(['slow', 'long', 'manual']).optional();
const Tested = z.strictObject({
  capabilities: z.record(
    z.string(),
    z.array(
      z.strictObject({
        what: z.string(),
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

/** When a row is tested: as it says, or else in the tier of its file. */
function whenRun({
  run,
  test = '',
}: {
  run?: string | undefined;
  test?: string | undefined;
}): string {
  if (run === 'manual') return '';
  return run ?? (/\.slow\.test\./.test(test) ? 'slow' : 'each push');
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
    const rows = tested.map((row) => [
      row.what,
      row.run === 'manual' ? `manual: ${row.with}` : row.with,
      whenRun(row),
      row.test === undefined ? '' : linkTo(row.test),
    ]);
    return `## ${part}\n\n${tableOf(['subject', 'tested with', 'run', 'test'], rows)}\nNot tested: ${notTested.join('; ')}.\n`;
  });
  const promised = Object.entries(capabilities).flatMap(([of, each]) =>
    each.map(({ what, test }) => [of, what, whenRun({ test }), linkTo(test.split(' > ')[0] ?? '')]),
  );
  const page = `<!-- Made by \`npm run generate\` from docs/reference/tested.yaml, and of the proofs of models. Do not edit. -->

# Test coverage and counterparts

**No part of skolo has been tested with a real switch, PDU, phone, Raspberry Pi, k3s cluster, Swarming server or bot yet.** Jumphosts have been tested
only on Debian 12. [Evidence files](docs/proofs/README.md) record which models were verified on real hardware.

The column “run” contains \`each push\` for \`npm test\`, \`slow\` for \`npm run test:slow\`, which each push must pass, too, and \`long\` for
\`npm run test:long\`, every night. For the results of random tests, see [Fault-injection tests](docs/reference/measurements.md#fault-injection-tests).

## Capabilities

The design documents of the systems that skolo replaces promise these. Each has a test at the edge that its users meet.

${tableOf(['of', 'capability', 'run', 'test'], promised)}
${sections.join('\n')}
## Equipment models

${tableOf(['part', 'models', 'tested with'], rowsOfModels())}`;

  await expect(page).toMatchFileSnapshot(pageAt('TESTED.md'));
});

const rows = Object.values(parts).flatMap(({ tested }) => tested);

it('names only tests that exist', () => {
  const missing = rows.filter(({ test }) => test !== undefined && !existsSync(pageAt(test)));

  expect(rows.length).toBeGreaterThan(100);
  expect(missing).toEqual([]);
});

it('names `long` where no push runs the test, or not all of it', () => {
  const wrong = rows.filter(({ test = '', run }) => {
    if (!test.endsWith('.ts')) return false;
    const isPartlyLong = /\b(isLong|onlyLong|countRounds|runs)\b/.test(
      readFileSync(pageAt(test), 'utf8'),
    );
    return run === 'long' ? !isPartlyLong : isOnlyLong(test);
  });

  expect(wrong).toEqual([]);
});

const onlyLong = /\.skipIf\(((?!\)\().)*\bonlyLong\b/;

/** Reports whether no test of a file runs on each push. */
function isOnlyLong(file: string): boolean {
  if (!file.endsWith('.ts')) return false;
  const text = readFileSync(pageAt(file), 'utf8');
  const [, why = ''] = /^const why = (.*)/m.exec(text) ?? [];
  const tests = text.match(/^(it|describe)\b.*/gm) ?? [];
  return tests.every((test) => onlyLong.test(test.replace('why', () => why)));
}

it.each(Object.values(capabilities).flat())('proves a promise on each push: $test', ({ test }) => {
  const [file = '', name = ''] = test.split(' > ');
  const [before = '', ...after] = readFileSync(pageAt(file), 'utf8').split(name);
  const declaration = before.split(/^ *(?=it\b|describe\b)/m).at(-1) ?? '';

  expect(after).not.toEqual([]);
  expect(declaration).not.toMatch(onlyLong);
  expect(isOnlyLong(file)).toBe(false);
});
