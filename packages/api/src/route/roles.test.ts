/**
 * Routes with another role than others of their kind: reads require `view`, and changes `operate` or `admin`. Besides these, anyone may read
 * `/openapi.json` and, on the agent's own computer, call its hooks.
 */
import { expect, it } from 'vitest';
import { probesApi } from '../probes.ts';
import { apis } from '../testing/changes.ts';
import type { RouteSpec } from './route.ts';

const reasons = {
  'anyone consoleApi.signIn': 'the body contains the token or code',
  'anyone enrolmentApi.enrol': 'a new Pi has no token; an operator or a secret decides',
  'anyone enrolmentApi.lockdown': "the Pi's key decides",
  'anyone enrolmentApi.storeLockdown': "the Pi's key decides",
  'anyone probesApi.healthz': 'the kubelet and Prometheus have no token',
  'anyone probesApi.metrics': 'the kubelet and Prometheus have no token',
  'anyone probesApi.readyz': 'the kubelet and Prometheus have no token',
  'anyone swarmingClientApi.status':
    'states of the machine and its devices, for operators without a token',
  'admin routerBackupApi.restoreSteps': 'they contain the secrets of a configuration',
  'machine powerCycleDaemonApi.ownHolds': 'the agent asks for its own machine',
  'machine powerCycleDaemonApi.requestDeviceCycles': 'the agent asks for devices of its machine',
  'operate auditApi.audit': 'inputs are for those who could have sent them',
  'view consoleApi.createLink': "a link to the caller's own session",
  'view consoleApi.signOut': "it ends the caller's own session",
};

it('are those of this list', () => {
  const all = [...apis, ['probesApi', probesApi] as const];
  const found = all.flatMap(([api, routes]) =>
    Object.entries<RouteSpec>(routes).flatMap(([name, spec]) => {
      const role = spec.role ?? 'machine';
      const usual = spec.method === 'get' ? ['view'] : ['operate', 'admin'];
      return usual.includes(role) ? [] : [`${role} ${api}.${name}`];
    }),
  );

  expect(found.sort()).toEqual(Object.keys(reasons).sort());
});
