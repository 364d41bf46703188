/** Google's own client, signed in by a token of ours, and never trying again by itself but within an upload. */
import type { Storage } from '@google-cloud/storage';
import type { GetToken } from './token.ts';

export interface GcsClient {
  /** For all calls. Trying again is the caller's. */
  calls: Storage;
  /** For uploads that go on where they were when the connection broke. */
  uploads: Storage;
}

/** The client is large, so it is loaded when it is used. */
export async function gcsClient(options: {
  token: GetToken;
  apiEndpoint?: string;
  timeoutMs: number;
}): Promise<GcsClient> {
  const { Storage } = await import('@google-cloud/storage');
  const common = {
    authClient: signedInBy(options.token, options.timeoutMs, new Storage()),
    useAuthWithCustomEndpoint: true,
    timeout: options.timeoutMs,
    ...(options.apiEndpoint !== undefined && { apiEndpoint: options.apiEndpoint }),
  };
  return {
    calls: new Storage({ ...common, retryOptions: { autoRetry: false } }),
    uploads: new Storage({ ...common, retryOptions: { maxRetries: 3, maxRetryDelay: 8 } }),
  };
}

/**
 * The client takes only credentials of its own version of google-auth-library, which is another than ours. It makes
 * one here, that then asks us for each token.
 */
function signedInBy(token: GetToken, timeoutMs: number, { authClient }: Storage) {
  const credentials = {
    type: 'authorized_user',
    client_id: 'none',
    client_secret: 'none',
    refresh_token: 'none',
  };
  // What is uploaded resumably is sent by it, and knows no other time-out.
  const client = authClient.fromJSON(credentials, { transporterOptions: { timeout: timeoutMs } });
  return Object.assign(client, {
    // Expired at once: how long a token is kept is decided where it comes from.
    refreshHandler: async () => ({ access_token: await token(), expiry_date: Date.now() }),
  });
}
