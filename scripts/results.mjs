/**
 * Decides whether a test run has failed, and which tests passed only when tried again: adds up the results of turbo and of the packages'
 * tests.
 */

/** @typedef {{ name: string, why: string }} Finding */
/** @typedef {{ name: string, seconds: number, asked?: string[] }} TestFile `asked`: programs, by their names in scripts/peers.mjs */
/**
 * One package's test results (scripts/report-tests.mjs). `retried` tests are among the passed ones, and `files` have their CPU time.
 * @typedef {{ passed: number, failed: Finding[], skipped: Finding[], retried: Finding[], files: TestFile[] }} Results
 */
/**
 * A turbo task: `exitCode` is undefined if it never started.
 * @typedef {{ package: string, task: string, exitCode: number | undefined }} Task
 */
/** @typedef {Results & { notRun: string[] }} Total */

/**
 * The overall result. A build, a lint or a test run that failed without a reason counts as one failure each.
 * @param {Task[]} tasks
 * @param {Map<string, Results>} results by package
 * @returns {Total}
 */
export function addUp(tasks, results) {
  /** @type {Total} */
  const total = { passed: 0, failed: [], skipped: [], retried: [], files: [], notRun: [] };
  /** @type {Map<string, string[]>} */
  const notStarted = new Map();
  for (const { package: name, task, exitCode } of tasks) {
    const isTest = task === 'test';
    const found = isTest ? results.get(name) : undefined;
    total.passed += found?.passed ?? 0;
    total.failed.push(...prefixed(name, found?.failed));
    total.skipped.push(...prefixed(name, found?.skipped));
    total.retried.push(...prefixed(name, found?.retried));
    total.files.push(...prefixed(name, found?.files));
    if (exitCode === undefined) {
      notStarted.set(name, [...(notStarted.get(name) ?? []), task]);
    } else if (exitCode !== 0 && !found?.failed.length) {
      total.failed.push({ name: `${name} ${task}`, why: `ended with ${exitCode}` });
    } else if (isTest && !found) {
      total.failed.push({ name: `${name} ${task}`, why: 'left no results' });
    }
  }
  for (const [name, names] of notStarted) {
    total.notRun.push(`${name} ${names.join(', ')}: something that it needs failed`);
  }
  return total;
}

/**
 * @template {{ name: string }} T
 * @param {string} name
 * @param {T[]} [findings]
 */
function prefixed(name, findings = []) {
  return findings.map((finding) => ({ ...finding, name: `${name} ${finding.name}` }));
}

/**
 * Tests that looked for a program themselves, instead of asking for the peer. They do not find it (scripts/programs/base.mjs), on any
 * computer, and would be skipped for ever.
 *
 * @param {Finding[]} skipped
 * @param {Pick<import('./peers.mjs').PeerKind, 'name' | 'commands' | 'others'>[]} found peers that are installed
 */
export function notAsked(skipped, found) {
  const names = new Set(
    found.flatMap(({ name, commands = [], others = [] }) => [name, ...commands, ...others]),
  );
  return skipped.flatMap(({ name, why }) => {
    const program = /^(\S+) is not installed$/.exec(why)?.[1] ?? '';
    return names.has(program)
      ? [
          {
            name,
            why: `was skipped because ${program} is not installed, but it is: ask for the peer`,
          },
        ]
      : [];
  });
}

/**
 * The last lines of `npm test`: failures, including those that passed when retried, skipped tests with their reasons, and the three totals.
 * @param {Total} total
 * @param {string[]} peersMissing a sentence each
 * @returns {string[]} lines
 */
export function closing(total, peersMissing) {
  const lines = [];
  if (total.failed.length > 0) {
    lines.push('', 'Failed:');
    lines.push(...total.failed.map(({ name, why }) => `  ${name}: ${why}`));
  }
  if (total.retried.length > 0) {
    lines.push('', 'Passed only when tried again (a defect of the test or of the code):');
    lines.push(...total.retried.map(({ name, why }) => `  ${name}: ${why}`));
  }
  const notRun = [...peersMissing, ...total.notRun].map((line) => `  ${line}`);
  for (const [why, names] of byReason(total.skipped)) {
    notRun.push(`  ${names.length} ${names.length === 1 ? 'test' : 'tests'}: ${why}`);
    notRun.push(...names.slice(0, 5).map((name) => `    ${name}`));
    if (names.length > 5) notRun.push(`    and ${names.length - 5} more`);
  }
  if (notRun.length > 0) lines.push('', 'Not run:', ...notRun);
  lines.push(...slowest(total.files));
  const { passed, failed, skipped } = total;
  lines.push('', `${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
  return lines;
}

/**
 * The slowest test files, to speed up first.
 * @param {TestFile[]} files
 */
function slowest(files) {
  const sum = files.reduce((seconds, file) => seconds + file.seconds, 0);
  if (sum < 60) return [];
  const most = files.toSorted((a, b) => b.seconds - a.seconds).slice(0, 10);
  return [
    '',
    `Test files took ${Math.round(sum)} s of processor time. Most took:`,
    ...most.map(({ name, seconds }) => `  ${seconds.toFixed(0).padStart(4)} s  ${name}`),
  ];
}

/** @param {Finding[]} findings */
function byReason(findings) {
  /** @type {Map<string, string[]>} */
  const reasons = new Map();
  for (const { name, why } of findings) reasons.set(why, [...(reasons.get(why) ?? []), name]);
  return reasons;
}
