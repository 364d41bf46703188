/** What the metadata server tells about itself, on its metrics port. */
import { z } from 'zod';
import { route } from './route.ts';
import { Time } from './time.ts';

export const MetadataClient = z
  .object({
    name: z.string().meta({ description: 'of rack.yaml; the address where rack.yaml has no name' }),
    kind: z.enum(['machine', 'cidr', 'jumphost', 'default', 'unknown']).meta({
      description: 'the rule of rack.yaml that knows this address; unknown: none',
    }),
    address: z
      .string()
      .optional()
      .meta({ description: 'absent: rack.yaml gives the machine none' }),
    identity: z.string().optional().meta({ description: 'absent: it is given nothing' }),
    lastAsked: Time.optional().meta({ description: 'absent: not since the service started' }),
    lastTokenAsked: Time.optional(),
    requests: z.int().min(0).meta({ description: 'since the service started' }),
  })
  .meta({ id: 'MetadataClient' });
export type MetadataClient = z.output<typeof MetadataClient>;

export const MetadataIdentity = z
  .object({
    name: z.string(),
    email: z.string().optional().meta({ description: 'absent: not known yet' }),
    project: z.string(),
    scopes: z.array(z.string()),
    tokenRemainingSeconds: z.number().optional().meta({ description: 'absent: no valid token' }),
    lastSuccess: Time.optional().meta({ description: 'when a token was last obtained' }),
    lastFailure: Time.optional(),
    lastFailureReason: z.string().optional(),
  })
  .meta({ id: 'MetadataIdentity' });
export type MetadataIdentity = z.output<typeof MetadataIdentity>;

export const metadataServerApi = {
  clients: route({
    method: 'get',
    path: '/v1/clients',
    summary: 'Who asks for metadata, as whom, and when last',
    role: 'view',
    answers: { 200: z.object({ clients: z.array(MetadataClient) }) },
  }),
  identities: route({
    method: 'get',
    path: '/v1/identities',
    summary: 'The identities of the rack and how fresh their tokens are',
    role: 'view',
    answers: { 200: z.object({ identities: z.array(MetadataIdentity) }) },
  }),
};
