/** `npm run release -- publish`: publishes the release of the version in package.json. */
import { parseArgs } from 'node:util';
import { problemsOf, readRelease } from './release.mjs';
import { stepsOf } from './steps.mjs';

/**
 * Prints where everything goes, in order, and what must be changed first.
 *
 * --yes VERSION   does it, if VERSION is this version. A step that fails does not stop the others. Repeat the command to do what is missing
 * --only STEP     only tag, release, npm, images or apt; repeat it for several
 *
 * @param {string} root of the repository
 * @param {string[]} args
 * @returns {Promise<number>} exit code: 1 if something must be changed first or a step failed, 2 if nothing could be checked
 */
export async function publish(root, args) {
  try {
    return (await tryToPublish(root, args)) ? 0 : 1;
  } catch (error) {
    console.error(`publish: ${error instanceof Error ? error.message : error}`);
    return 2;
  }
}

/**
 * @param {string} root
 * @param {string[]} args
 * @returns whether nothing is missing
 */
async function tryToPublish(root, args) {
  const { values } = parseArgs({
    args,
    options: { yes: { type: 'string' }, only: { type: 'string', multiple: true } },
  });
  const release = readRelease(root);
  const { version, commit } = release;
  const all = stepsOf(release);
  const names = all.map(({ name }) => name);
  const unknown = values.only?.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new Error(`--only ${unknown}: specify one of ${names.join(', ')}`);
  const steps = all.filter(({ name }) => values.only?.includes(name) ?? true);
  const chosen = steps.map(({ name }) => name);

  console.log(`skolo ${version}, commit ${commit.slice(0, 9)}, is published in this order:`);
  for (const [at, { name, what }] of steps.entries()) console.log(`${at + 1}. ${name}: ${what}`);
  const problems = await problemsOf(release, chosen);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) return false;
  if (values.yes === undefined) {
    console.log(`To publish it, add --yes ${version}`);
    return true;
  }
  if (values.yes !== version) {
    throw new Error(
      `--yes ${values.yes}: package.json has version ${version}; check out v${values.yes}`,
    );
  }
  return await publishSteps(steps, version);
}

/**
 * @param {import('./steps.mjs').Step[]} steps
 * @param {string} version
 */
async function publishSteps(steps, version) {
  /** @type {string[]} */
  const failed = [];
  for (const { name, after = '', isDone, run } of steps) {
    if (failed.includes(after)) {
      console.error(`${name}: not tried, because ${after} failed`);
      failed.push(name);
      continue;
    }
    try {
      if (isDone?.()) {
        console.log(`${name}: is there already`);
        continue;
      }
      await run();
      console.log(`${name}: published`);
    } catch (error) {
      console.error(`${name}: failed: ${error instanceof Error ? error.message : error}`);
      failed.push(name);
    }
  }
  if (failed.length > 0) {
    console.error(
      `${version} is incomplete: ${failed.join(', ')}; remove the cause, and repeat this command`,
    );
  }
  return failed.length === 0;
}
