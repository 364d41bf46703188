/**
 * Last step of the pipeline: measures the service, compares it with earlier runs, and publishes the analysis beside theirs.
 * `node performance-test.ts FOLDER`; settings are variables. Exit codes: 0 it is as before, or better; 1 it misses its objective at
 * the lowest rate, or nothing could be measured; 3 it is worse than in earlier runs.
 */
import { readFile } from 'node:fs/promises';
import { arch, availableParallelism } from 'node:os';
import { argv, env, stdout } from 'node:process';
import { analyse } from './analysis.ts';
import { compareLevels, confirmChanges, type Level } from './compare.ts';
import type { Sample } from './load.ts';
import { measure } from './measure.ts';
import { changeText, markdownOf, type Result } from './report.ts';
import { baselineOf, publishRun, readRuns } from './runs.ts';
import { type TestSettings, testSettings, text } from './settings.ts';

const stop = new AbortController();
process.once('SIGTERM', () => stop.abort(new Error('ended by SIGTERM')));
const [, , folder = '/results'] = argv;
const settings = testSettings(env);
const startedAt = new Date().toISOString();

const deps = { signal: stop.signal, report: (line: string) => stdout.write(`${line}\n`) };
const sender = `${arch()}, ${availableParallelism()} processors`;
const earlier = await readRuns(folder);
const baseline = baselineOf(earlier, { sender, from: settings.baselineFrom });

const samples = await measure(settings, deps);
const { objective } = settings;
const changesIn = (some: readonly Level[]) =>
  compareLevels(
    some,
    baseline.map(({ levels }) => levels),
  );
const first = changesIn(analyse(samples, objective).levels);
const suspects = new Set(first.flatMap(({ rate, verdict }) => (verdict === 'worse' ? rate : [])));
const again =
  suspects.size === 0 ? [] : await measureAgain({ ...settings, rates: [...suspects] }, deps);
const second = changesIn(analyse(again, objective).levels);
const analysis = analyse([...samples, ...again], objective);
const changes = confirmChanges(changesIn(analysis.levels), first, second);
const result: Result = {
  run: text(env, 'RUN'),
  startedAt,
  subject: env.IMAGE_FILE ? (await readFile(env.IMAGE_FILE, 'utf8')).trim() : settings.url,
  sender,
  ...analysis,
  baseline: baseline.map(({ run }) => run),
  changes,
};
await publishRun(folder, result, earlier);
stdout.write(markdownOf(result));
const worse = changes.filter(({ verdict }) => verdict === 'worse');
for (const change of worse) deps.report(`worse: ${changeText(change)}`);
if (worse.length > 0) process.exitCode = 3;
if (result.knee === undefined) {
  deps.report(
    `the service misses its objective at ${result.levels[0]?.rate ?? 0} requests a second`,
  );
  process.exitCode = 1;
}

/** A busy computer may be idle by now, and a slower service is still slower. */
async function measureAgain(some: TestSettings, how: typeof deps): Promise<Sample[]> {
  how.report(`measured again, because they look worse: ${some.rates.join('/s, ')}/s`);
  return await measure(some, how);
}
