/** Tests with every outcome that there is, for report-tests.test.mjs. */
export default {
  test: {
    include: ['*.fixture.mjs'],
    reporters: ['../../report-tests.mjs'],
    setupFiles: ['../../processor-time.mjs'],
    cache: false,
  },
};
