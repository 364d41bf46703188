/** Settings of the metadata server, with defaults: callers, rate limit, trusted proxies. */

import { whole } from '@skolo/equipment/models';
import { z } from 'zod';
import { object, section, text } from '../fields.ts';
import { cidr } from '../network-fields.ts';
import { anyService } from './any-service.ts';

export const metadataServer = section({
  ...anyService,
  callers: z
    .array(
      object({
        cidr: cidr.describe('Network or address of the callers.'),
        identity: z.string().describe('A name from `identities`, or `none`.'),
      }),
    )
    .default([])
    .describe(
      'Callers that are not machines, such as pods on the jumphost. The most specific matching network applies. Entries in `machines` take precedence.',
    ),
  trustedProxies: z
    .array(cidr)
    .default([])
    .describe(
      'Proxies whose `X-Forwarded-For` header is trusted. Requests with this header from any other address are rejected.',
    ),
  rateLimit: section({
    perSecond: whole(1, 1_000_000)
      .default(1000)
      .describe('Sustained rate, in requests per second.'),
    burst: whole(1, 1_000_000).default(2000).describe('Maximum number of requests in a burst.'),
  }).describe('Rate limit per caller address; requests that exceed it receive status 429.'),
  perCaller: section({
    watches: whole(1, 100_000)
      .default(64)
      .describe('Maximum number of pending `wait_for_change` requests from one address.'),
  }).describe('Limits per caller address; requests that exceed them receive status 429.'),
  tokenFolder: text(/^\/[^\0]*$/, 'an absolute path', '/dev/shm/skolo-metadata-server')
    .optional()
    .describe(
      'Directory in which the service keeps tokens across restarts. It must be on an in-memory file system such as tmpfs, never on a disk. Default: a separate directory in /dev/shm for each state directory.',
    ),
});
