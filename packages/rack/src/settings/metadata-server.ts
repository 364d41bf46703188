/** Settings of the metadata server: who gets which identity besides the machines, and how much. */

import { whole } from '@skolo/models';
import { z } from 'zod';
import { object, section, text } from '../fields.ts';
import { cidr } from '../network-fields.ts';
import { common } from './common.ts';

export const metadataServer = section({
  ...common,
  callers: z
    .array(
      object({
        cidr: cidr.describe('A network, or one address.'),
        identity: z.string().describe('A name of `identities`, or `none`: nothing at all.'),
      }),
    )
    .default([])
    .describe(
      'Callers that are not machines, say the pods of the jumphost. The most exact network wins; a machine always wins over these.',
    ),
  defaultIdentity: z
    .string()
    .optional()
    .describe('The same as `defaultIdentity` at the top: what callers get who are listed nowhere.'),
  trustedProxies: z
    .array(cidr)
    .default([])
    .describe(
      'Proxies whose X-Forwarded-For is believed. From anybody else, a request with that header is refused.',
    ),
  rateLimit: section({
    perSecond: whole(1, 1_000_000)
      .default(1000)
      .describe('Requests a second that one caller may make for long.'),
    burst: whole(1, 1_000_000).default(2000).describe('Requests that one caller may make at once.'),
  }).describe('So that one broken bot cannot starve a rack; beyond it the answer is 429.'),
  perCaller: section({
    connections: whole(8, 100_000)
      .default(256)
      .describe('Connections that one address may have open; trusted proxies may have any number.'),
    watches: whole(1, 100_000)
      .default(64)
      .describe('Requests with `wait_for_change` that one caller may have waiting.'),
  }).describe('So that one caller cannot slow down the others; beyond it the answer is 429.'),
  handover: text(/^\/[^\0]*$/, 'an absolute path', '/dev/shm/skolo-metadata-server')
    .optional()
    .describe(
      'Folder in a memory file system where tokens wait for the next start of the same boot. Never on a disk. By default one in /dev/shm, another for each state directory.',
    ),
});
export type MetadataServerSettings = z.output<typeof metadataServer>;
