/** Google's own client with our sign-in, and without its own retries except within an upload. */

import type { Storage } from '@google-cloud/storage';
import { setLibraryProxy } from '@skolo/base/internet';
import type { GetToken } from './token.ts';

export interface GcsClient {
  /** For all calls: the caller retries. */
  calls: Storage;
  /** For uploads that resume after the connection broke. */
  uploads: Storage;
}

export const defaultEndpoint = 'https://storage.googleapis.com';

/** The client is large, so it is only loaded when used. */
export async function gcsClient(options: {
  token: GetToken;
  apiEndpoint: string | undefined;
  timeoutMs: number;
}): Promise<GcsClient> {
  // Its clients read the environment.
  setLibraryProxy(options.apiEndpoint ?? defaultEndpoint);
  const { Storage } = await import('@google-cloud/storage');
  const settings = {
    authClient: signedInBy(options.token, options.timeoutMs, new Storage()),
    useAuthWithCustomEndpoint: true,
    timeout: options.timeoutMs,
    ...(options.apiEndpoint !== undefined && { apiEndpoint: options.apiEndpoint }),
  };
  return {
    calls: new Storage({ ...settings, retryOptions: { autoRetry: false } }),
    uploads: new Storage({ ...settings, retryOptions: { maxRetries: 3, maxRetryDelay: 8 } }),
  };
}

/**
 * The client only accepts credentials from its own version of google-auth-library, which differs from ours. It creates a credentials object
 * that asks ours for each token.
 */
function signedInBy(token: GetToken, timeoutMs: number, { authClient }: Storage) {
  const credentials = {
    type: 'authorized_user',
    client_id: 'none',
    client_secret: 'none',
    refresh_token: 'none',
  };
  // Used for resumable uploads, which have no other timeout.
  const client = authClient.fromJSON(credentials, { transporterOptions: { timeout: timeoutMs } });
  return Object.assign(client, {
    // Expires immediately: the token's source decides how long it is cached.
    refreshHandler: async () => ({ access_token: await token(), expiry_date: Date.now() }),
  });
}
