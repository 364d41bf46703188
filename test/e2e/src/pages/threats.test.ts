/** docs/reference/threats.md is made from threats.yaml, and names tests that exist. `npm run generate` writes it. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { dataAt, pageAt, tableOf } from './page.ts';

/** Tests: file, and a part of the test's name. */
const Threats = z.record(
  z.string(),
  z.array(
    z.strictObject({
      attack: z.string(),
      result: z.string(),
      tests: z.record(z.string(), z.string()),
    }),
  ),
);

const threats = Object.entries(dataAt('docs/reference/threats.yaml', Threats));

it('docs/reference/threats.md is current', async () => {
  const sections = threats.map(([who, attacks]) => {
    const rows = attacks.map(({ attack, result, tests }) => [
      attack,
      result,
      Object.entries(tests)
        .map(
          ([file, name]) =>
            `[\`${file.slice(file.lastIndexOf('/') + 1)}\`](../../${file}): \`${name}\``,
        )
        .join('; '),
    ]);
    return `## ${who}\n\n${tableOf(['tries to', 'result', 'test'], rows)}`;
  });
  const page = `<!-- Made by \`npm run generate\` from threats.yaml. Do not edit. -->

# Attacks and their tests

See [Threats from a hostile machine](../operate/hostile-machine.md) for what to do, and for what is not prevented.

${sections.join('\n')}`;

  await expect(page).toMatchFileSnapshot(pageAt('docs/reference/threats.md'));
});

it('each test that it names exists', () => {
  const tests = threats.flatMap(([, attacks]) =>
    attacks.flatMap((each) => Object.entries(each.tests)),
  );
  const missing = tests.filter(
    ([file, name]) => !readFileSync(pageAt(file), 'utf8').includes(name),
  );

  expect(tests.length).toBeGreaterThan(80);
  expect(missing).toEqual([]);
});
