import { expect, it } from 'vitest';
import { machineStateApi } from './machine-state.ts';
import { powerCycleDaemonApi } from './power-cycle-daemon.ts';
import { type ReasonedAction, reasonRequired } from './reasons.ts';
import type { RouteSpec } from './route/route.ts';

const routes: Readonly<Record<ReasonedAction, RouteSpec>> = {
  cycle: powerCycleDaemonApi.requestCycles,
  on: powerCycleDaemonApi.switchOutlets,
  off: powerCycleDaemonApi.switchOutlets,
  hold: powerCycleDaemonApi.hold,
  maintenance: machineStateApi.order,
  quarantine: machineStateApi.order,
  clear: machineStateApi.clear,
  repair: machineStateApi.repair,
  reboot: machineStateApi.reboot,
  release: powerCycleDaemonApi.release,
  cancel: powerCycleDaemonApi.cancelCycle,
  end: machineStateApi.endOrder,
};

/** What the API says about a request without a reason. */
function isRequiredBy({ body, audits }: RouteSpec): boolean {
  const [place, field] = (audits && 'reason' in audits && audits.reason?.split('.')) || [];
  if (place !== 'body') return false;
  const issues = body?.safeParse({}).error?.issues ?? [];
  return issues.some(({ path }) => path[0] === field);
}

it.each(Object.entries(routes))('%s requires a reason exactly if its API does', (action, route) => {
  expect(isRequiredBy(route)).toBe(reasonRequired[action as ReasonedAction]);
});

it('has an action for each request with a reason', () => {
  const reasoned = Object.values({ ...powerCycleDaemonApi, ...machineStateApi }).filter(
    (route: RouteSpec) => isRequiredBy(route),
  );
  expect(reasoned.filter((route) => !Object.values(routes).includes(route))).toEqual([]);
});
