/** What a push has made worse, from Prometheus' data before and after it (pure). */
import { count } from '@skolo/base';
import type { RackHealth } from '../survey/rack-health.ts';

/** Of this many machines, how many may fail by chance meanwhile, for example because of a low battery or a power cut. */
export function mostByChance(all: number): number {
  return Math.max(1, all * 0.1);
}

/** The share of tasks that may fail by chance, because tests fail. */
const mostTasksByChance = { tasks: 2, part: 0.2 };

/** One text for each fault; empty if nothing is worse. */
export function worsened(before: RackHealth, after: RackHealth): string[] {
  const alerts = after.alerts.flatMap(({ name, severity, count }) => {
    const fired = before.alerts.find((alert) => alert.name === name && alert.severity === severity);
    return count > (fired?.count ?? 0) ? [`new alert ${name} (${severity})`] : [];
  });
  const down = after.down
    .filter((service) => !before.down.includes(service))
    .map((service) => `${service} no longer responds to Prometheus`);
  const [was = 0, is = 0] = [before.health.quarantined, after.health.quarantined];
  const all = Object.values(after.health).reduce((sum, count) => sum + count, 0);
  const isMore = is - was > mostByChance(all);
  return [
    ...alerts,
    ...down,
    ...(isMore ? [`${count(is - was, 'more machine')} quarantined`] : []),
    ...fellSilent(before, after),
    ...failedTasks(before, after),
  ];
}

function fellSilent({ machines: was }: RackHealth, { machines: is }: RackHealth): string[] {
  if (was === undefined || was.all === was.silent) return [];
  if (is === undefined) return [`Prometheus no longer has data from ${count(was.all, 'machine')}`];
  const more = is.silent - was.silent;
  if (more <= mostByChance(is.all) && is.silent < is.all) return [];
  return [`${count(more, 'machine')} fell silent; ${is.silent} of ${is.all} are silent`];
}

function failedTasks({ tasksEnded: was }: RackHealth, { tasksEnded: is }: RackHealth): string[] {
  if (is === undefined || is.failed <= mostTasksByChance.tasks) return [];
  const [before, after] = [was, is].map((tasks) => (tasks?.all ? tasks.failed / tasks.all : 0));
  if ((after ?? 0) <= (before ?? 0) + mostTasksByChance.part) return [];
  return [`${is.failed} of ${is.all} tasks have failed since the push`];
}
