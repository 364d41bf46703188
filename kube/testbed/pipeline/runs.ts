/** Results of runs in a folder: one folder for each, and a page that lists them. */
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Level, mostRuns } from './compare.ts';
import { listPage, type Result, reportFiles } from './report.ts';

/** Earlier runs, the oldest first. A folder without a whole result is passed over. Creates the folder. */
export async function readRuns(folder: string): Promise<Result[]> {
  await mkdir(folder, { recursive: true });
  const entries = await readdir(folder, { withFileTypes: true });
  const results: Result[] = [];
  for (const { name } of entries.filter((entry) => entry.isDirectory())) {
    const value = await readFile(join(folder, name, 'result.json'), 'utf8')
      .then((text): unknown => JSON.parse(text))
      .catch(() => undefined);
    if (isResult(value)) results.push(value);
  }
  return results.sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
}

/**
 * The runs to compare with, the oldest first: of the same sender, and none that was worse itself, because a regression that was
 * reported once has to stay one.
 *
 * @param from the first run that counts, even if it was worse
 */
export function baselineOf(
  runs: readonly Result[],
  { sender, from }: { sender: string; from?: string | undefined },
): Result[] {
  const first = runs.findIndex(({ run }) => run === from);
  return runs
    .slice(Math.max(0, first))
    .filter(
      (each, at) =>
        each.sender === sender &&
        ((at === 0 && first >= 0) || each.changes.every(({ verdict }) => verdict !== 'worse')),
    )
    .slice(-mostRuns);
}

/** Writes a run beside the earlier ones. result.json comes last, so that a run without it is known to be cut off. */
export async function publishRun(
  folder: string,
  result: Result,
  earlier: readonly Result[],
): Promise<void> {
  const own = join(folder, result.run);
  await mkdir(own, { recursive: true });
  const { 'result.json': last = '', ...others } = reportFiles(result);
  for (const [name, content] of Object.entries(others)) await replace(join(own, name), content);
  await replace(join(own, 'result.json'), last);
  const kept = earlier.filter(({ run }) => run !== result.run);
  await replace(join(folder, 'index.html'), listPage([...kept, result]));
}

/** A reader sees the old file or the new one. */
async function replace(file: string, content: string): Promise<void> {
  await writeFile(`${file}.new`, content, { flush: true });
  await rename(`${file}.new`, file);
}

/** By hand: the pipeline runs in the image of Node, which has no zod. */
function isResult(value: unknown): value is Result {
  return (
    isObject(value) &&
    [value.run, value.startedAt, value.subject].every((each) => typeof each === 'string') &&
    typeof value.saturation === 'number' &&
    Array.isArray(value.changes) &&
    Array.isArray(value.levels) &&
    value.levels.every(isLevel)
  );
}

function isLevel(value: unknown): value is Level {
  if (!isObject(value) || typeof value.rate !== 'number') return false;
  return [value.p10Ms, value.p50Ms, value.p99Ms, value.failedPercent].every(isSpread);
}

function isSpread(value: unknown): boolean {
  return (
    isObject(value) &&
    Array.isArray(value.values) &&
    [value.low, value.median, value.high, ...value.values].every((each) => typeof each === 'number')
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
