/** Tests with every possible outcome, for report-tests.test.mjs. */
export default {
  test: {
    include: ['*.fixture.mjs'],
    reporters: ['../../report-tests.mjs'],
    setupFiles: ['../../processor-time.mjs'],
    cache: false,
  },
};
