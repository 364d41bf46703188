/** Routes that anyone may call, apart from `/openapi.json` and the agent's hooks, which only its own computer reaches. */
import { expect, it } from 'vitest';
import { probesApi } from '../probes.ts';
import { apis } from '../testing/changes.ts';

const reasons = {
  'consoleApi.signIn': 'the body contains the token or code',
  'consoleRacksApi.signIn': 'the body contains the code',
  'enrolmentApi.enrol': 'a new Pi has no token; an operator or a secret decides',
  'enrolmentApi.lockdown': "the Pi's key decides",
  'enrolmentApi.storeLockdown': "the Pi's key decides",
  'probesApi.healthz': 'the kubelet and Prometheus have no token',
  'probesApi.metrics': 'the kubelet and Prometheus have no token',
  'probesApi.readyz': 'the kubelet and Prometheus have no token',
  'swarmingClientApi.status':
    'states of the machine and its devices, for operators without a token',
};

it('are those of this list', () => {
  const all = [...apis, ['probesApi', probesApi] as const];
  const open = all.flatMap(([api, routes]) =>
    Object.entries(routes)
      .filter(([, { role }]) => role === 'anyone')
      .map(([name]) => `${api}.${name}`),
  );

  expect(open.sort()).toEqual(Object.keys(reasons));
});
