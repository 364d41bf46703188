/** Keys of everything that sends messages over HTTP: alert sinks, and the backup webhook. */

import { seconds } from '@skolo/models';
import { z } from 'zod';
import { secret } from '../fields.ts';
import { httpUrl } from '../network-fields.ts';

export const httpRequest = {
  url: httpUrl.describe('URL that receives a request for each message.'),
  method: z.enum(['POST', 'PUT']).default('POST').describe('HTTP method.'),
  headers: z
    .record(z.string(), z.string())
    .default({})
    .describe('HTTP headers; `{{token}}` is replaced with the token.'),
  token: secret
    .exactOptional()
    .describe(
      'Bearer token, or the value of `{{token}}` if `url`, `headers` or `body` contains this placeholder.',
    ),
  body: z
    .string()
    .exactOptional()
    .describe(
      'Body template with fields such as `{{labels.alertname}}`, whose values are escaped in JSON bodies. `{{labels.severity | "warning"}}` inserts the first non-empty value. Default: the message as JSON.',
    ),
  timeoutSeconds: seconds(0.1, 300)
    .default(10)
    .describe('Time limit after which a request is retried.'),
};
