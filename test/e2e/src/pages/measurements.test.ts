/** docs/reference/measurements.md is made from the YAML and JSON files beside it. `npm run generate` writes it. */
import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { versionsIn } from '../../../../scripts/release/changelog.mjs';
import { dataAt, pageAt, tableOf } from './page.ts';

const Measured = z.strictObject({
  date: z.iso.date(),
  /** Of the code. */
  commit: z.string().regex(/^[0-9a-f]{9}$/),
  /** Version. */
  node: z.string().regex(/^\d+\.\d+$/),
  where: z.string().optional(),
});
const Measurements = z.record(
  z.string(),
  z.strictObject({
    /** Unless a result says otherwise. */
    measured: Measured,
    results: z.array(
      z.strictObject({
        bench: z.string().optional(),
        what: z.string(),
        figure: z.number(),
        unit: z.string(),
        against: z.record(z.string(), z.number()).default({}),
        measured: Measured.partial().default({}),
      }),
    ),
  }),
);
/** Attack, transport: the most memory as a part of the limit, and the longest response time in seconds. */
const Attacks = z.record(z.string(), z.record(z.string(), z.tuple([z.number(), z.number()])));

/** By part. */
const Faults = z.record(
  z.string(),
  z.array(
    z.strictObject({
      fault: z.string(),
      times: z.string(),
      result: z.string(),
      /** Unless it is of the run that the page names. */
      when: z.iso.date().optional(),
    }),
  ),
);

const parts = Object.entries(dataAt('docs/reference/measurements.yaml', Measurements));
const attacks = dataAt('docs/reference/device-attacks.json', Attacks);
const released = versionsIn(readFileSync(pageAt('CHANGELOG.md'), 'utf8')).find(({ day }) => day);
/** The last release. */
const release = { version: released?.version ?? '', date: released?.day ?? '' };
const faults = Object.entries(dataAt('docs/reference/faults.yaml', Faults));

it('docs/reference/measurements.md is current', async () => {
  const rows = parts.flatMap(([part, { measured, results }]) =>
    results.map(({ bench = '', what, figure, unit, against, measured: own }) => [
      part.replace(/^\w+\//, ''),
      bench,
      what,
      amount(figure, unit),
      Object.entries(against)
        .map(([peer, theirs]) => `${peer}: ${amount(theirs, unit)} (${ratio(figure, theirs)})`)
        .join('; '),
      howMeasured(Measured.parse({ ...measured, ...own }), release),
    ]),
  );
  const transports = [...new Set(Object.values(attacks).flatMap((row) => Object.keys(row)))];
  const attackRows = Object.entries(attacks).map(([attack, cells]) => [
    attack,
    ...transports.map((transport) => {
      const cell = cells[transport];
      return cell === undefined ? '' : `${Math.round(100 * cell[0])}%, ${cell[1].toFixed(2)} s`;
    }),
  ]);
  const faultRows = faults.flatMap(([part, rows]) =>
    rows.map(({ fault, times, result, when = '' }) => [part, fault, times, result, when]),
  );
  const page = `<!-- Made by \`npm run generate\` from the files beside it. Do not edit. -->

# Measurements

\`npm run bench -w services/PART -- --only BENCH\` measures one of these again. The number in brackets is ours, divided by that of the other program.
A row with **before VERSION** is about code that is older than the last release: releases replace all parts.

${tableOf(['part', 'bench', 'measured', 'result', 'compared with', 'measured'], rows)}
## Equipment that attacks

One switch attacks a service that has only its pod's memory, while another is switched or backed up. A cell contains the most memory as a part
of the limit, and the longest response time of \`/healthz\`; the test requires less than 80% and 3 s. Empty cells are attacks that the protocol does not
have. To measure again: \`SKOLO_LONG=1 npx vitest run src/hostile/devices.test.ts\`, in test/e2e.

${tableOf(['attack', ...transports], attackRows)}
## Fault-injection tests

\`npm run test:long\` repeats these tests. Results without a date are from 2026-11-24 (commit 0006bcb, Node 24.21, two shared cores): 10,958 tests passed, 13 were
skipped, and 5 failed because of errors in tests or simulators, which are now fixed.

${tableOf(['part', 'fault', 'times', 'result', 'when'], faultRows)}`;

  await expect(page).toMatchFileSnapshot(pageAt('docs/reference/measurements.md'));
});

it('marks what was measured before a release', () => {
  const row = { date: '2026-11-20', commit: '05315ce0f', node: '20.20', where: 'two cores' };

  expect(release).toEqual({
    version: expect.stringMatching(/^\d/),
    date: expect.stringMatching(/^2\d{3}-/),
  });
  expect(howMeasured(row, { version: '0.2.0', date: '2026-11-25' })).toBe(
    '**before 0.2.0**, 2026-11-20, 05315ce0f, Node 20.20, two cores',
  );
  expect(howMeasured(row, { version: '0.2.0', date: '2026-11-20' })).toBe(
    '2026-11-20, 05315ce0f, Node 20.20, two cores',
  );
});

it('each bench that it names exists', () => {
  const missing = parts.flatMap(([part, { results }]) => {
    const where = part === 'packages/cli' ? 'test/images' : part;
    const sources = globSync(`${pageAt(where)}/src/bench/**/*.ts`)
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n');
    return results
      .filter(({ bench }) => bench !== undefined && !sources.includes(`'${bench}'`))
      .map(({ bench }) => `${part}: ${bench}`);
  });

  expect(missing).toEqual([]);
});

function howMeasured(
  { date, commit, node, where }: z.infer<typeof Measured>,
  last: typeof release,
): string {
  const mark = date < last.date && `**before ${last.version}**`;
  return [mark, date, commit, `Node ${node}`, where].filter(Boolean).join(', ');
}

function amount(figure: number, unit: string): string {
  const number = figure.toLocaleString('en');
  return unit.startsWith('%') ? `${number}${unit}` : `${number} ${unit}`.trim();
}

function ratio(ours: number, theirs: number): string {
  return Number((ours / theirs).toPrecision(2)).toLocaleString('en');
}
