/** Tests with every possible outcome, for report-tests.test.mjs. */
export default {
  test: {
    include: ['*.fixture.mjs'],
    reporters: ['../../report-tests.mjs'],
    setupFiles: ['../../setup/processor-time.mjs', '../../setup/reasons.mjs'],
    cache: false,
    passWithNoTests: true,
  },
};
