import { cpus, loadavg, release } from 'node:os';
import { parseArgs } from 'node:util';
import { comparedWith } from './against.ts';
import { type Bench, type Line, linesOf, type Measurement, NotRun } from './bench.ts';
import { repository } from './comparison.ts';
import { recorderOf } from './record.ts';

interface Output {
  out(text: string): void;
  err(text: string): void;
}

/**
 * Runs benches one after the other and prints a table, or with `--json` one object a line. `--only NAME`, also
 * several times, picks some; `--against COMMIT` compares the service with that of a commit, instead of with its
 * peers. `--record` publishes the figures. Answers the exit code: 0, 1 when a bench failed, 2 for a wrong command
 * line; one that cannot run here is named and no failure.
 *
 * @example process.exitCode = await runBenches([token, memory], process.argv.slice(2));
 */
export async function runBenches(
  benches: readonly Bench[],
  argv: readonly string[],
  { out, err }: Output = { out: console.log, err: console.error },
): Promise<number> {
  const names = benches.map(({ name }) => name);
  const options = readOptions(argv, names);
  if (typeof options === 'string') {
    err(options);
    return 2;
  }
  const chosen = benches.filter(
    ({ name }) => options.only.length === 0 || options.only.includes(name),
  );
  const { json, against } = options;
  if (against === undefined) {
    const record = options.record ? recorderOf(repository, process.cwd()) : undefined;
    return await runAll(chosen, { json, record }, { out, err });
  }
  await using compared = await comparedWith(against, chosen);
  return await runAll(compared.benches, { json }, { out, err });
}

async function runAll(
  benches: readonly Bench[],
  options: { json: boolean; record?: ReturnType<typeof recorderOf> | undefined },
  { out, err }: Output,
): Promise<number> {
  const table = tableFor(benches.map(({ name }) => name));
  if (!options.json) for (const line of [...machine(), '', ...table.head]) out(line);
  let exitCode = 0;
  for (const bench of benches) {
    const [load = 0] = loadavg();
    try {
      const measurement = checked(await bench.measure());
      const lines = linesOf(bench, measurement);
      options.record?.(bench, measurement, load);
      for (const line of lines) out(options.json ? JSON.stringify(line) : table.row(line));
      for (const [peer, why] of Object.entries(measurement.notRun ?? {})) {
        const text = table.note(bench.name, `not compared with ${peer}: ${why}`);
        (options.json ? err : out)(text);
      }
    } catch (error) {
      const isMissing = error instanceof NotRun;
      if (!isMissing) exitCode = 1;
      const text = isMissing ? `not run: ${error.message}` : `failed: ${describe(error)}`;
      (options.json ? err : out)(table.note(bench.name, text));
    }
  }
  return exitCode;
}

function readOptions(
  argv: readonly string[],
  names: readonly string[],
): { json: boolean; record: boolean; only: string[]; against?: string } | string {
  const usage = `usage: bench [--json] [--only NAME]… [--record | --against COMMIT]\nbenches: ${names.join(', ')}`;
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        json: { type: 'boolean' },
        record: { type: 'boolean' },
        only: { type: 'string', multiple: true },
        against: { type: 'string' },
      },
    });
    const { json = false, record = false, only = [], ...rest } = values;
    if (record && rest.against !== undefined) return usage;
    const unknown = only.find((name) => !names.includes(name));
    return unknown === undefined
      ? { json, record, only, ...rest }
      : `no bench is called ${unknown}\n${usage}`;
  } catch (error) {
    return `${describe(error)}\n${usage}`;
  }
}

/** A figure that is no number must not look like one. */
function checked(measurement: Measurement): Measurement {
  for (const figure of [measurement.figure, ...Object.values(measurement.against ?? {})]) {
    if (!Number.isFinite(figure)) throw new Error(`measured ${figure}, which is no figure`);
  }
  return measurement;
}

function machine(): string[] {
  const processors = cpus();
  const load = loadavg()[0] ?? 0;
  return [
    `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, Linux ${release()}`,
    `${processors.length} × ${processors[0]?.model.trim()}, load average ${load.toFixed(1)} before it began`,
  ];
}

function tableFor(names: readonly string[]) {
  const width = Math.max(...names.map((name) => name.length), 'bench'.length);
  const cells = (
    bench: string,
    figure: string,
    unit: string,
    against: string,
    theirs: string,
    ratio: string,
    better: string,
  ) =>
    `${bench.padEnd(width)}  ${figure.padStart(10)} ${unit.padEnd(5)}  ${against.padEnd(16)} ${theirs.padStart(10)}  ${ratio.padStart(6)}  ${better}`.trimEnd();
  return {
    head: [cells('bench', 'figure', 'unit', 'against', 'theirs', 'ratio', 'better')],
    row: ({ bench, figure, unit, against = '', theirs, ratio, better }: Line) =>
      cells(
        bench,
        String(figure),
        unit,
        against,
        theirs === undefined ? '' : String(theirs),
        ratio === undefined ? '' : ratio.toFixed(2),
        better,
      ),
    note: (bench: string, text: string) => `${bench.padEnd(width)}  ${text}`,
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
