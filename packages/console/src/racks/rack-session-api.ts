/** `/RACK/v1/session`: the session of one rack, as its pages know it. */
import { consoleApi, route } from '@skolo/api';
import { z } from 'zod';

const place = {
  path: '/{rack}/v1/session',
  role: 'view',
  params: z.object({ rack: z.string() }),
} as const;

export const rackSessionApi = {
  session: route({ ...consoleApi.session, ...place }),
  signIn: route({ ...consoleApi.signIn, ...place }),
  signOut: route({ ...consoleApi.signOut, ...place }),
};
export type RackSessionApi = typeof rackSessionApi;
