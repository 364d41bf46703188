/** Settings of the metadata server. */

import { whole } from '@skolo/models';
import { z } from 'zod';
import { object, section, text } from '../fields.ts';
import { cidr } from '../network-fields.ts';
import { anyService } from './any-service.ts';

export const metadataServer = section({
  ...anyService,
  callers: z
    .array(
      object({
        cidr: cidr.describe('Network or address.'),
        identity: z.string().describe('A name from `identities`, or `none` for no identity.'),
      }),
    )
    .default([])
    .describe(
      'Callers that are not machines, such as pods on the jumphost. The most specific network applies; an entry in `machines` takes precedence.',
    ),
  trustedProxies: z
    .array(cidr)
    .default([])
    .describe(
      'Proxies whose X-Forwarded-For header is trusted. Other requests with that header are rejected.',
    ),
  rateLimit: section({
    perSecond: whole(1, 1_000_000)
      .default(1000)
      .describe('Sustained requests per second per caller.'),
    burst: whole(1, 1_000_000).default(2000).describe('Request burst per caller.'),
  }).describe('Rate limit per caller; further requests receive 429.'),
  perCaller: section({
    watches: whole(1, 100_000)
      .default(64)
      .describe('Maximum number of pending requests with `wait_for_change` per caller.'),
  }).describe('Limits per caller; further requests receive 429.'),
  tokenFolder: text(/^\/[^\0]*$/, 'an absolute path', '/dev/shm/skolo-metadata-server')
    .optional()
    .describe(
      'Directory in a memory file system that keeps tokens when the service restarts; never on a disk. Default: a directory in /dev/shm for each state directory.',
    ),
});
