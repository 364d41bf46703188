/** Loaded into the server under test: collects garbage on SIGUSR2, so that only live memory remains. */
process.on('SIGUSR2', () => {
  if (!global.gc) throw new Error('start node with --expose-gc');
  global.gc();
});
