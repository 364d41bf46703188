/** Runs of a bench that are kept, and what a run means beside them. */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, parseJson } from '@skolo/base';
import { writeFileAtomic } from '@skolo/base/durable';
import { z } from 'zod';
import { Figure } from './measure.ts';

const Run = z.object({
  cluster: z.string(),
  /** RFC 3339. */
  at: z.string(),
  /** Of the kubelets. */
  versions: z.array(z.string()),
  figures: z.array(Figure),
});
export type Run = z.output<typeof Run>;

/** Of earlier runs: those of long ago say little of today. */
const mostRuns = 10;
/** Fewer say nothing of how much a figure varies. */
const leastRuns = 5;
/** Smaller changes are not reported: many figures are compared at once. */
const leastChange = 0.25;

/** Keeps a run. @returns its file, without the end of its name */
export async function writeRun(folder: string, run: Run): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, run.at.replaceAll(/[^0-9TZ]/g, ''));
  await writeFileAtomic(`${path}.json`, `${JSON.stringify(run, null, 2)}\n`, { mode: 0o644 });
  return path;
}

/** The last ones of this cluster, the oldest first. Files that are no run are passed over. */
export async function earlierRuns(folder: string, cluster: string): Promise<Run[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  const files = names.filter((name) => name.endsWith('.json')).sort();
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  const runs = texts.flatMap((text) => Run.safeParse(parseJson(text)).data ?? []);
  return runs.filter((run) => run.cluster === cluster).slice(-mostRuns);
}

export interface Compared extends Figure {
  /** Of earlier runs; undefined: there is none. */
  earlier: { median: number; least: number; most: number; runs: number } | undefined;
  /** Now over the median. */
  ratio: number | undefined;
  /** Beyond all earlier runs, and by more than a quarter of their median. Undefined: they are too few. */
  verdict: 'better' | 'worse' | 'unchanged' | undefined;
}

export function compared(figures: readonly Figure[], earlier: readonly Run[]): Compared[] {
  return figures.map((figure) => {
    const values = earlier
      .flatMap((run) => run.figures)
      .filter(
        ({ name, where, unit }) =>
          name === figure.name && where === figure.where && unit === figure.unit,
      )
      .map(({ value }) => value)
      .sort((a, b) => a - b);
    const [least] = values;
    const most = values.at(-1);
    const median = values[Math.floor((values.length - 1) / 2)];
    if (least === undefined || most === undefined || median === undefined || median === 0) {
      return { ...figure, earlier: undefined, ratio: undefined, verdict: undefined };
    }
    const ratio = figure.value / median;
    const isBeyond =
      (figure.value < least || figure.value > most) && Math.abs(ratio - 1) > leastChange;
    const isBetter = figure.better === 'higher' ? ratio > 1 : ratio < 1;
    const judged = isBeyond ? (isBetter ? 'better' : 'worse') : 'unchanged';
    const verdict = values.length < leastRuns ? undefined : judged;
    return { ...figure, earlier: { median, least, most, runs: values.length }, ratio, verdict };
  });
}

/** For the log of a database on disk: beyond it, etcd loses its leader, and requests of SQLite queue. */
const mostFsyncMs = 10;

/** What a person should do about figures, whatever earlier runs were. */
export function remarksOn(figures: readonly Figure[], server: string): string[] {
  const fsync = figures.find(({ name, where }) => name === 'fsync p99' && where === server);
  if (fsync === undefined || fsync.value <= mostFsyncMs) return [];
  return [
    `${server}: an fsync takes ${fsync.value.toFixed(0)} ms (p99), but the database of the cluster requires less than ${mostFsyncMs} ms; put the database on an SSD`,
  ];
}
