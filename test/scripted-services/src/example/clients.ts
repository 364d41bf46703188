/** The answers of the example's metadata server. */
import { MetadataClient, MetadataIdentity } from '@skolo/api';
import { z } from 'zod';
import type { Answers, ApiOf } from '../service.ts';
import { load } from './load.ts';

const data = load(
  'clients.yaml',
  z.object({ clients: z.array(MetadataClient), identities: z.array(MetadataIdentity) }),
);

export const exampleClients: Answers<ApiOf<'metadata-server'>> = {
  clients: () => ({ clients: data().clients }),
  identities: () => ({ identities: data().identities }),
};
