/** docs/reference/repeated-requests.md is made from the routes. `npm run generate` writes it. */
import * as apis from '@skolo/api';
import type { Api } from '@skolo/api/route';
import { expect, it } from 'vitest';
import { pageAt, tableOf } from './page.ts';

const services: readonly [string, ...Api[]][] = [
  ['power-cycle-daemon', apis.powerCycleDaemonApi],
  ['machine-state', apis.machineStateApi, apis.enrolmentsApi, apis.consoleApi],
  ['machine-state, enrolment', apis.enrolmentApi],
  ['swarming-client', apis.swarmingClientApi],
  ['router-backup', apis.routerBackupApi],
  ['alert-to-pubsub', apis.alertToPubsubApi],
];

it('docs/reference/repeated-requests.md is current', async () => {
  const rows = services.flatMap(([service, ...routes]) =>
    routes
      .flatMap((api) => Object.values(api))
      .flatMap(({ method, path, repeated }) =>
        repeated === undefined ? [] : [[service, `\`${method.toUpperCase()} ${path}\``, repeated]],
      ),
  );
  const page = `<!-- Made by \`npm run generate\` from the routes in packages/api. Do not edit. -->

# Repeated requests

If the response to a request is lost, check whether you can safely repeat the request. The table lists all requests that make changes. Alerts at
\`/api/v2/alerts\`, \`/api/v1/alerts\` and \`/webhook\` of alert-to-pubsub are not sent again if they have not changed.

Requests with the same \`Idempotency-Key\` count as one for a day, even if the service restarts. Reusing a key with different content results in 422.
\`skolo\` and the console send a key with requests marked "key", and do not repeat other requests automatically.

${tableOf(['service', 'request', 'if you send it again'], rows)}`;

  expect(rows.length).toBeGreaterThan(30);
  await expect(page).toMatchFileSnapshot(pageAt('docs/reference/repeated-requests.md'));
});

it('names every request of a service that makes changes', () => {
  const named = new Set(services.flatMap(([, ...routes]) => routes));
  const others = Object.entries(apis).filter(
    ([name, api]) =>
      name.endsWith('Api') &&
      !named.has(api as Api) &&
      Object.values(api as Api).some(({ method }) => method !== 'get'),
  );

  expect(others.map(([name]) => name)).toEqual([]);
});
