/** What every service can be told. */

import { seconds } from '@skolo/models';
import { object, path } from '../fields.ts';
import { httpUrl } from '../network-fields.ts';

export const common = {
  url: httpUrl
    .exactOptional()
    .describe('URL of this service; by default the jumphost at the port of the service.'),
  metricsUrl: httpUrl
    .exactOptional()
    .describe('URL of its metrics; by default the jumphost at the metrics port of the service.'),
  tls: object({
    cert: path.describe('PEM file of the certificate and those that vouch for it.'),
    key: path.describe('PEM file of its private key.'),
  })
    .exactOptional()
    .describe('Serve https instead of http on the public port.'),
  stopWithin: seconds(1, 600)
    .default(10)
    .describe('Seconds for what is under way after SIGTERM; the rest stays in the journal.'),
};
