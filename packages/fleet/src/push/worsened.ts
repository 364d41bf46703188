/** What a push has made worse, by what Prometheus knows before and after it: pure. */
import type { RackHealth } from '../rack-health.ts';

/** Of machines, as many may fall sick meanwhile by themselves: a phone whose battery is low. */
const mostByChance = { machines: 1, part: 0.1 };

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
  return [...alerts, ...down, ...(isMore ? [`${is - was} more machines are quarantined`] : [])];
}
