/**
 * Last step of the pipeline: measures the service, publishes the analysis beside earlier ones, and fails if the service misses its
 * objective at the lowest rate. `node performance-test.ts FOLDER`; settings are variables.
 */
import { readFile } from 'node:fs/promises';
import { arch, availableParallelism } from 'node:os';
import { argv, env, stdout } from 'node:process';
import { analyse } from './analysis.ts';
import { measure } from './measure.ts';
import { markdownOf, type Result } from './report.ts';
import { publishRun, readRuns } from './runs.ts';
import { testSettings, text } from './settings.ts';

const stop = new AbortController();
process.once('SIGTERM', () => stop.abort(new Error('ended by SIGTERM')));
const [, , folder = '/results'] = argv;
const settings = testSettings(env);
const startedAt = new Date().toISOString();

const samples = await measure(settings, {
  signal: stop.signal,
  report: (line) => stdout.write(`${line}\n`),
});
const earlier = await readRuns(folder);
const last = earlier.at(-1);
const result: Result = {
  run: text(env, 'RUN'),
  startedAt,
  subject: env.IMAGE_FILE ? (await readFile(env.IMAGE_FILE, 'utf8')).trim() : settings.url,
  sender: `${arch()}, ${availableParallelism()} processors`,
  ...analyse(samples, settings.objective, last),
  ...(last && { comparedWith: last.run }),
};
await publishRun(folder, result, earlier);
stdout.write(markdownOf(result));
if (result.knee === undefined) {
  stdout.write(
    `the service misses its objective at ${result.levels[0]?.rate ?? 0} requests a second\n`,
  );
  process.exitCode = 1;
}
