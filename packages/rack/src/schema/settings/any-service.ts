/** Settings of every service, with defaults: URL, TLS, how long it may take to stop (`stopWithin`). */

import { seconds } from '@skolo/equipment/models';
import { object, path } from '../fields.ts';
import { httpUrl } from '../network-fields.ts';

export const anyService = {
  url: httpUrl
    .exactOptional()
    .describe("Service URL; default: the service's port on the jumphost."),
  metricsUrl: httpUrl
    .exactOptional()
    .describe("Metrics URL; default: the jumphost's metrics port."),
  tls: object({
    cert: path.describe('Certificate and chain (PEM).'),
    key: path.describe('Private key (PEM).'),
  })
    .exactOptional()
    .describe('Certificate for HTTPS, which replaces HTTP on the public port.'),
  stopWithin: seconds(1, 600)
    .default(10)
    .describe('Grace period after SIGTERM; the journal keeps unfinished work.'),
};
