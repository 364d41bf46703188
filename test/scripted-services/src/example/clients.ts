/** The state of the example's metadata server. */
import { MetadataClient, MetadataIdentity } from '@skolo/api';
import { z } from 'zod';
import type { MetadataWorld } from '../worlds.ts';
import { load } from './load.ts';

const data = load(
  'clients.yaml',
  z.object({ clients: z.array(MetadataClient), identities: z.array(MetadataIdentity) }),
);

export const exampleClients: MetadataWorld = {
  clients: () => data().clients,
  identities: () => data().identities,
};
