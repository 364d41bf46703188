import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { root } from './node.mjs';

/** @typedef {{ name: string, why: string }} Finding */
/** @typedef {{ passed: number, failed: Finding[], skipped: Finding[], files: { name: string, seconds: number }[] }} Results `seconds` of processor time */

/**
 * A vitest reporter: writes the results of a package for scripts/test.mjs, to the file that `--outputFile` names. The `json` reporter has no
 * reasons for skips, no processor time, no failed hooks, and calls a run with an uncaught error a success.
 */
export default class TestReport {
  /** @type {string | undefined} */
  outputFile;
  /** @param {import('vitest/node').Vitest} vitest */
  onInit({ config: { outputFile } }) {
    if (typeof outputFile === 'string') this.outputFile = outputFile;
  }

  /** @type {NonNullable<import('vitest/node').Reporter['onTestRunEnd']>} */
  onTestRunEnd = (modules, unhandledErrors) => {
    if (this.outputFile === undefined) return;
    /** @type {Results} */
    const results = { passed: 0, failed: [], skipped: [], files: [] };
    /** @type {(name: string, errors: ReadonlyArray<{ message?: string }>) => void} */
    const fail = (name, errors) =>
      results.failed.push(...errors.map((error) => ({ name, why: firstLines(error.message) })));
    fail('outside of a test', unhandledErrors);
    for (const module of modules) {
      const file = relative(root, module.moduleId);
      const { processorSeconds = 0 } = /** @type {{ processorSeconds?: number }} */ (module.meta());
      results.files.push({ name: file, seconds: processorSeconds });
      // vitest counts the tests of a failed hook as skipped.
      for (const suite of [module, ...module.children.allSuites()]) {
        const name = `${file} > ${'fullName' in suite ? suite.fullName : ''}`;
        const isEmpty = suite.children.size === 0 && suite.ok();
        fail(name, isEmpty ? [{ message: 'has no tests' }] : suite.errors());
      }
      for (const test of module.children.allTests()) {
        const { state, errors, note } = { note: undefined, ...test.result() };
        const { skipped } = /** @type {{ skipped?: string }} */ (test.meta());
        const name = `${file} > ${test.fullName}`;
        const why = note ?? skipped ?? (hasFailed(test.parent) && 'its preparation failed');
        if (state === 'passed') results.passed += 1;
        else if (state === 'failed') fail(name, errors);
        else if (!why) fail(name, [{ message: 'was skipped without a reason' }]);
        else results.skipped.push({ name, why });
      }
    }
    mkdirSync(dirname(this.outputFile), { recursive: true });
    writeFileSync(this.outputFile, `${JSON.stringify(results)}\n`);
  };
}
/** @param {import('vitest/node').TestCase['parent']} suite @returns {boolean} */
function hasFailed(suite) {
  return suite.errors().length > 0 || (suite.type === 'suite' && hasFailed(suite.parent));
}
/** The seed of a property test is in the second line. */
const firstLines = (message = 'no message') =>
  message.split('\n').slice(0, 4).join(' ').slice(0, 700);
