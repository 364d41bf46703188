/**
 * `--against COMMIT`: compares the service of these sources with that of a commit. Each bench runs three times for each, in turn, in processes
 * of its own. The benches are those of these sources for both.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Bench, NotRun } from './bench.ts';
import { repository } from './comparison.ts';
import { median } from './statistics.ts';

const run = promisify(execFile);
const rounds = 3;

interface Compared extends AsyncDisposable {
  /** Of each bench its figure, and the processor time of the service for the same work. */
  benches: Bench[];
}

/** One run of one bench. */
export interface Sample {
  figure: number;
  processorSeconds: number;
}

/** Fetches the sources of a commit, with their dependencies, until it is disposed of. */
export async function comparedWith(commit: string, benches: readonly Bench[]): Promise<Compared> {
  const sources = await mkdtemp(join(tmpdir(), 'skolo-bench-against-'));
  const dispose = () => rm(sources, { recursive: true, force: true });
  try {
    const named = ['rev-parse', '--verify', `${commit}^{commit}`];
    const { stdout: id } = await run('git', named, { cwd: repository });
    await run('git', ['clone', '--quiet', '--shared', '--no-checkout', repository, sources]);
    await run('git', ['-C', sources, 'checkout', '--quiet', '--detach', id.trim()]);
    await run('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline'], { cwd: sources });
  } catch (error) {
    await dispose();
    throw error;
  }
  const measure = (name: string) => ({
    now: () => sampleOf(name, repository),
    before: () => sampleOf(name, sources),
  });
  return {
    benches: benches.flatMap((bench) => pairOf(bench, commit, measure(bench.name))),
    [Symbol.asyncDispose]: dispose,
  };
}

/** The bench that compares figures, and then the one that compares processor times. */
export function pairOf(
  { name, unit, better }: Bench,
  commit: string,
  sides: Record<'now' | 'before', () => Promise<Sample>>,
): Bench[] {
  let ratio = Number.NaN;
  let [now, before] = [Number.NaN, Number.NaN];
  async function figures() {
    const samples = await inTurn(sides);
    const medianOf = (side: Sample[], field: keyof Sample) =>
      median(side.map((each) => each[field]));
    const [figure, theirs] = [medianOf(samples.now, 'figure'), medianOf(samples.before, 'figure')];
    // At a higher rate, more is done in the same time.
    ratio = unit === '1/s' ? theirs / figure : 1;
    now = medianOf(samples.now, 'processorSeconds') * ratio;
    before = medianOf(samples.before, 'processorSeconds');
    return { figure, against: { [commit]: theirs } };
  }
  async function processorTimes() {
    if (!(before > 0)) throw new NotRun('the bench does not measure it');
    return { figure: now, against: { [commit]: before } };
  }
  return [
    { name, unit, better, measure: figures },
    { name: `${name}-cpu`, unit: 's', better: 'lower', measure: processorTimes },
  ];
}

/** The order changes each time, so that neither side is always the second one. */
async function inTurn<Side extends string>(sides: Record<Side, () => Promise<Sample>>) {
  const order = Object.entries<() => Promise<Sample>>(sides);
  const samples = Object.fromEntries(order.map(([side]) => [side, [] as Sample[]]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [side, measure] of order) samples[side]?.push(await measure());
    order.reverse();
  }
  return samples as Record<Side, Sample[]>;
}

/** Runs a bench of this program for the service of these sources. */
async function sampleOf(bench: string, sources: string): Promise<Sample> {
  const [main = ''] = process.argv.slice(1);
  const args = [...process.execArgv, main, '--json', '--only', bench];
  const env = { ...process.env, SKOLO_BENCH_SOURCES: sources };
  const { stdout, stderr } = await run(process.execPath, args, { env });
  const [line = ''] = stdout.split('\n');
  if (line === '') throw new NotRun(stderr.trim());
  const { figure, processorSeconds } = JSON.parse(line);
  return { figure: Number(figure), processorSeconds: Number(processorSeconds) };
}
