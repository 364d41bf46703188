/** Settings of machine-state, with defaults: after how long a silent machine is `stale` or `gone`, and how many days the history is kept. */

import { seconds, whole } from '@skolo/equipment/models';
import { object, path, secret, section } from '../fields.ts';
import { alertmanager, httpUrl, portNumber } from '../network-fields.ts';
import { anyService } from './any-service.ts';

export const machineState = section({
  ...anyService,
  historyDays: whole(1, 3650).default(90).describe('Number of days for which the history is kept.'),
  staleSeconds: seconds(10, 3600)
    .default(60)
    .describe('How long an agent can be silent before its machine is considered `stale`.'),
  goneSeconds: seconds(60, 86_400)
    .default(600)
    .describe('How long an agent can be silent before its machine is considered `gone`.'),
  alertmanager: alertmanager.describe('Replaced by the top-level `alertmanager` key.'),
  enrolment: object({
    port: portNumber.default(8005).describe('Port of the endpoint, which always uses TLS.'),
    apiServer: httpUrl
      .default('https://kubernetes.default.svc')
      .describe('URL of the Kubernetes API server; default: the URL that pods use.'),
    serviceAccount: path
      .default('/var/run/secrets/skolo-enrolment')
      .describe(
        "Directory that contains a service account's `token` and `ca.crt`; default: the directory that kube/components/enrolment mounts.",
      ),
  })
    .exactOptional()
    .describe(
      'Endpoint through which Raspberry Pis with a shared image request a name and join the cluster. Off by default. Requires kube/components/enrolment.',
    ),
  servicesToken: secret
    .exactOptional()
    .describe(
      'Token with the `view` role for querying the other services. Not needed if `access.anonymousRead` includes the jumphost. If it was created with `skolo token new … --ends-on-it`, machine-state ends the holds of incidents that are over; otherwise they end after four hours.',
    ),
});
