/** docs/reference/measurements.md is made from the files beside it. `npm run generate` writes it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { versionsIn } from '../../../../scripts/release/changelog.mjs';
import { dataAt, pageAt, tableOf } from './page.ts';

/** What `npm run bench -- --record` writes. */
const Row = z.strictObject({
  part: z.string(),
  bench: z.string(),
  figure: z.number(),
  unit: z.string(),
  against: z.record(z.string(), z.number()),
  date: z.iso.date(),
  /** Of the code. */
  commit: z.string().regex(/^[0-9a-f]{9}$/),
  /** Version. */
  node: z.string().regex(/^\d+\.\d+$/),
  /** Average before it began. */
  load: z.number().optional(),
});
type Row = z.infer<typeof Row>;
const Words = z.strictObject({
  peers: z.record(z.string(), z.string()),
  parts: z.record(
    z.string(),
    z.strictObject({ where: z.string(), benches: z.record(z.string(), z.string()) }),
  ),
});
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

const { peers, parts } = dataAt('docs/reference/measurements.yaml', Words);
const measured = readFileSync(pageAt('docs/reference/measurements.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => Row.parse(JSON.parse(line)));
const described = Object.entries(parts).flatMap(([part, { where, benches }]) =>
  Object.entries(benches).map(([bench, what]) => {
    const [start = '', end] = bench.split('*');
    const rows = measured.filter(
      (row) =>
        row.part === part &&
        (end === undefined ? row.bench === bench : row.bench.startsWith(start)),
    );
    return { part, bench, start, what, where, rows };
  }),
);
const attacks = dataAt('docs/reference/device-attacks.json', Attacks);
const released = versionsIn(readFileSync(pageAt('CHANGELOG.md'), 'utf8')).find(({ day }) => day);
/** The last release. */
const release = { version: released?.version ?? '', date: released?.day ?? '' };
const faults = Object.entries(dataAt('docs/reference/faults.yaml', Faults));

it('docs/reference/measurements.md is current', async () => {
  const rows = described.flatMap(({ start, what, where, rows }) =>
    rows.map((row) => [
      row.part.replace(/^\w+\//, ''),
      row.bench,
      what.replace('*', row.bench.slice(start.length)),
      amount(row.figure, row.unit),
      Object.entries(row.against)
        .map(([peer, theirs]) => {
          const ratio = Number((row.figure / theirs).toPrecision(2)).toLocaleString('en');
          return `${peers[peer] ?? peer}: ${amount(theirs, row.unit)} (${ratio})`;
        })
        .join('; '),
      howMeasured(row, where, release),
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

\`npm run bench -w services/PART -- --only BENCH\` (\`-w test/images\` for images) measures one of these again. The number in brackets is ours, divided by that
of the other program. A load average is that before the measurement began, with two cores, also of an earlier measurement.
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
  const row = { date: '2026-11-20', commit: '05315ce0f', node: '20.20', load: 1.25 };
  const { load: _, ...earlier } = row;

  expect(release).toEqual({
    version: expect.stringMatching(/^\d/),
    date: expect.stringMatching(/^2\d{3}-/),
  });
  expect(howMeasured(row, 'two cores', { version: '0.2.0', date: '2026-11-25' })).toBe(
    '**before 0.2.0**, 2026-11-20, 05315ce0f, Node 20.20, load 1.3, two cores',
  );
  expect(howMeasured(earlier, 'two cores', { version: '0.2.0', date: '2026-11-20' })).toBe(
    '2026-11-20, 05315ce0f, Node 20.20, two cores',
  );
});

it('each bench that it describes is measured, and the other way around', () => {
  const missing = described.filter(({ rows }) => rows.length === 0);
  const shown = described.flatMap(({ rows }) => rows);

  expect(missing).toEqual([]);
  expect(measured.filter((row) => !shown.includes(row))).toEqual([]);
});

it.each(Object.keys(parts))('%s still has the benches that it describes', (part) => {
  const asked = [pageAt('scripts/run.mjs'), pageAt(`${part}/src/bench/main.ts`), '--only', ''];
  const { stderr } = spawnSync(process.execPath, asked, { encoding: 'utf8' });
  const names = /^benches: (.*)$/m.exec(stderr)?.[1]?.split(', ');
  const rows = described.flatMap(({ rows }) => rows).filter((row) => row.part === part);

  expect(rows.filter(({ bench }) => !names?.includes(bench))).toEqual([]);
});

function howMeasured(
  { date, commit, node, load }: Pick<Row, 'date' | 'commit' | 'node' | 'load'>,
  where: string,
  last: typeof release,
): string {
  const mark = date < last.date && `**before ${last.version}**`;
  const before = load !== undefined && `load ${load.toFixed(1)}`;
  return [mark, date, commit, `Node ${node}`, before, where].filter(Boolean).join(', ');
}

/** Three digits: a computer shared with others gives no more. */
function amount(figure: number, unit: string): string {
  const number = Number(figure.toPrecision(3)).toLocaleString('en');
  return unit.startsWith('%') ? `${number}${unit}` : `${number} ${unit}`;
}
