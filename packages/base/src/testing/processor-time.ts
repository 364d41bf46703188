/** What work costs, for tests: other work on the computer hardly changes it. */

/** CPU time of this process during the work, in milliseconds, with its result. */
export async function processorTime<T>(
  work: () => T | Promise<T>,
): Promise<{ ms: number; result: T }> {
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { ms: (user + system) / 1000, result };
}
