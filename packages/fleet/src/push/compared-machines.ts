/** Joins what Prometheus knew about each machine before a push with what it knows after it (pure). */
import type { AgentReport, RackHealth } from '../survey/rack-health.ts';

/** What is known about a machine at one time. */
interface Facts extends AgentReport {
  /** Whether there is any sign of life; undefined: Prometheus does not know the machine. */
  isSeen: boolean | undefined;
}

interface Compared {
  name: string;
  was: Facts;
  is: Facts;
}

export type Machines = ReadonlyMap<string, Compared>;

/** All machines that Prometheus knew before or knows now. */
export function machinesIn(before: RackHealth, after: RackHealth): Machines {
  const all = [before, after].flatMap(({ seen, reports }) => [seen, reports ?? {}]);
  const facts = ({ seen, reports = {} }: RackHealth, name: string): Facts => ({
    isSeen: Object.hasOwn(seen, name) ? seen[name] : undefined,
    ...(Object.hasOwn(reports, name) && reports[name]),
  });
  return new Map(
    all
      .flatMap(Object.keys)
      .map((name) => [name, { name, was: facts(before, name), is: facts(after, name) }]),
  );
}

/** Machines whose agents reported before: one failed scrape does not matter. */
export function reporting(machines: Machines): Compared[] {
  return [...machines.values()].filter(({ was }) => was.verdict !== undefined);
}

/** The verdict of an agent that responds. */
export function verdictNow({ is }: Compared): string | undefined {
  return is.isLate ? undefined : is.verdict;
}

/** Whether there was before what an alert is about: an agent, or another sign of life. */
export function hasReported({ was }: Compared, isOfAgent: boolean): boolean {
  return isOfAgent ? was.verdict !== undefined : was.isSeen === true;
}
