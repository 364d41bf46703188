/** The API of the metadata server, on its metrics port. */
import { z } from 'zod';
import { route } from './route/route.ts';
import { Time } from './time.ts';

export const MetadataClient = z
  .object({
    name: z.string().describe('name in rack.yaml; the address if it has none'),
    kind: z
      .enum(['machine', 'cidr', 'jumphost', 'default', 'unknown'])
      .describe(
        'kind of the rack.yaml entry that matches the address; `unknown` if no entry matches',
      ),
    address: z
      .string()
      .optional()
      .describe("absent if rack.yaml does not contain the machine's address"),
    identity: z.string().optional().describe('absent if the client has no identity'),
    lastAsked: Time.optional().describe(
      'time of the last request; absent if the client has not sent a request since the service started',
    ),
    lastTokenAsked: Time.optional(),
    requests: z.int().min(0).describe('number of requests since the service started'),
  })
  .meta({ id: 'MetadataClient' });
export type MetadataClient = z.output<typeof MetadataClient>;

export const MetadataIdentity = z
  .object({
    name: z.string(),
    email: z.string().optional().describe('absent until the service has determined it'),
    project: z.string(),
    scopes: z.array(z.string()),
    tokenRemainingSeconds: z
      .number()
      .optional()
      .describe('absent if the service has no valid token'),
    lastSuccess: Time.optional().describe('when the service last received a token'),
    lastFailure: Time.optional(),
    lastFailureReason: z.string().optional(),
  })
  .meta({ id: 'MetadataIdentity' });
export type MetadataIdentity = z.output<typeof MetadataIdentity>;

export const metadataServerApi = {
  clients: route({
    method: 'get',
    path: '/v1/clients',
    summary: 'Lists clients with their identities and last requests',
    role: 'view',
    answers: { 200: z.object({ clients: z.array(MetadataClient) }) },
  }),
  identities: route({
    method: 'get',
    path: '/v1/identities',
    summary: "Lists the rack's identities and the remaining lifetimes of their tokens",
    role: 'view',
    answers: { 200: z.object({ identities: z.array(MetadataIdentity) }) },
  }),
};
