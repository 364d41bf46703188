import { writeFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

/** @typedef {import('./setup/processor-time.mjs').FileMeta & import('./programs/asked.mjs').FileMeta} FileMeta */

/**
 * A vitest reporter: writes `.test-results.json` into the package, which `npm test` adds up (scripts/results.mjs). Skipped tests have the
 * reason that `skip` or `skipIf` was given (scripts/setup/reasons.mjs); a test without one has failed.
 */
export default class TestReport {
  /**
   * @param {ReadonlyArray<import('vitest/node').TestModule>} modules
   * @param {ReadonlyArray<import('@vitest/utils').SerializedError>} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    /** @type {import('./results.mjs').Results} */
    const results = { passed: 0, failed: [], skipped: [], retried: [], files: [] };
    for (const error of unhandledErrors) {
      results.failed.push({ name: 'outside of a test', why: firstLine(error) });
    }
    for (const module of modules) {
      const file = module.relativeModuleId;
      const meta = /** @type {FileMeta} */ (module.meta());
      const asked = Object.keys(meta.peers ?? {});
      results.files.push({
        name: file,
        seconds: meta.processorSeconds ?? 0,
        ...(asked.length > 0 && { asked }),
      });
      // A file that does not load, or a failed hook: its tests only count as skipped.
      for (const error of module.errors()) {
        results.failed.push({ name: file, why: firstLine(error) });
      }
      for (const suite of module.children.allSuites()) {
        for (const error of suite.errors()) {
          results.failed.push({ name: `${file} > ${suite.fullName}`, why: firstLine(error) });
        }
      }
      for (const test of module.children.allTests()) {
        const result = test.result();
        const name = `${file} > ${test.fullName}`;
        if (result.state === 'passed') {
          results.passed += 1;
          // The errors of earlier attempts.
          const [error] = result.errors ?? [];
          if (error) results.retried.push({ name, why: whyOf(error) });
        } else if (result.state === 'failed') {
          results.failed.push({ name, why: whyOf(result.errors[0] ?? {}) });
        } else {
          const note = result.state === 'skipped' ? result.note : undefined;
          const { skipped } = /** @type {import('./setup/reasons.mjs').TestMeta} */ (test.meta());
          const why = note ?? skipped ?? failedHook(test);
          if (why === undefined) results.failed.push({ name, why: 'was skipped without a reason' });
          else results.skipped.push({ name, why });
        }
      }
    }
    writeFileSync('.test-results.json', `${JSON.stringify(results)}\n`);
  }
}

/** @param {import('vitest/node').TestCase} test */
function failedHook(test) {
  for (let around = test.parent; ; around = around.parent) {
    if (around.errors().length > 0) return 'what should have prepared them failed';
    if (around.type === 'module') return undefined;
  }
}

/**
 * An error of a first attempt, which the log does not show: it only has the last one. The seed of a property test is in the second line.
 * @param {{ message?: string, diff?: string }} error
 */
function whyOf({ message = 'no message', diff = '' }) {
  const differing = stripVTControlCharacters(diff)
    .split('\n')
    .filter((line) => /^[+-] /.test(line) && !/^[+-] (Expected|Received)/.test(line));
  const lines = [...message.split('\n').slice(0, 4), ...differing.slice(0, 8)];
  return lines.join(' ').slice(0, 700);
}

/** @param {{ message?: string }} error */
function firstLine({ message = 'no message' }) {
  return message.split('\n', 1).join('');
}
