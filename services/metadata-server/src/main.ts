/** Starts the metadata server. */
import { runService } from '@skolo/common';
import { createMetadataServer } from './service.ts';

await runService(createMetadataServer());
