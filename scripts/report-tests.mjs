import { writeFileSync } from 'node:fs';

/**
 * A vitest reporter: writes `.test-results.json` into the package, which `npm test` adds up.
 * Skipped tests carry the reason that they gave to `skip(reason)`.
 */
export default class TestReport {
  onTestRunEnd(modules, unhandledErrors) {
    const results = { passed: 0, failed: unhandledErrors.length, skipped: [] };
    for (const module of modules) {
      if (module.errors().length > 0) results.failed += 1;
      for (const test of module.children.allTests()) {
        const { state, note } = test.result();
        if (state === 'passed') results.passed += 1;
        else if (state === 'failed') results.failed += 1;
        else results.skipped.push({ name: test.fullName, why: note ?? 'no reason given' });
      }
    }
    writeFileSync('.test-results.json', `${JSON.stringify(results)}\n`);
  }
}
