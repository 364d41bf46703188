/** What a push has made worse, by what Prometheus knows before and after it: pure. */
import type { RackHealth } from '../rack-health.ts';

/** Of machines, as many may fall sick meanwhile by themselves: a phone whose battery is low. */
const mostByChance = { machines: 1, part: 0.1 };

/** Of tasks, as many may fail by themselves: tests fail. */
const mostTasksByChance = { tasks: 2, part: 0.2 };

/** A text for each fault; empty: nothing is worse. */
export function worsened(before: RackHealth, after: RackHealth): string[] {
  const alerts = after.alerts.flatMap(({ name, severity, count }) => {
    const fired = before.alerts.find((alert) => alert.name === name && alert.severity === severity);
    return count > (fired?.count ?? 0) ? [`new alert ${name} (${severity})`] : [];
  });
  const down = after.down
    .filter((service) => !before.down.includes(service))
    .map((service) => `${service} no longer answers Prometheus`);
  const [was = 0, is = 0] = [before.health.quarantined, after.health.quarantined];
  const all = Object.values(after.health).reduce((sum, count) => sum + count, 0);
  const isMore = is - was > Math.max(mostByChance.machines, all * mostByChance.part);
  return [
    ...alerts,
    ...down,
    ...(isMore ? [`${is - was} more machines are quarantined`] : []),
    ...failedTasks(before, after),
  ];
}

function failedTasks({ tasksEnded: was }: RackHealth, { tasksEnded: is }: RackHealth): string[] {
  if (is === undefined || is.failed <= mostTasksByChance.tasks) return [];
  const [before, after] = [was, is].map((tasks) => (tasks?.all ? tasks.failed / tasks.all : 0));
  if ((after ?? 0) <= (before ?? 0) + mostTasksByChance.part) return [];
  return [`${is.failed} of ${is.all} tasks failed since then`];
}
