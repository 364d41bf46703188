/** What the tests of this folder share: the simulator, and Google's own client for it. */
import { Storage, type StorageOptions } from '@google-cloud/storage';
import { onTestFinished } from 'vitest';
import { type GoogleStorage, type GoogleStorageOptions, startGoogleStorage } from './server.ts';

export async function start(options: GoogleStorageOptions = {}): Promise<GoogleStorage> {
  const google = await startGoogleStorage({ buckets: ['backups'], ...options });
  onTestFinished(() => google.close());
  return google;
}

/** The official client, without its own retries. */
export function clientOf(google: GoogleStorage, options: StorageOptions = {}): Storage {
  return new Storage({
    apiEndpoint: google.url,
    projectId: 'my-project',
    retryOptions: { autoRetry: false },
    timeout: 600_000,
    ...options,
  });
}

/** Signs in with a token, at an endpoint of our own, too. */
export function signedIn(token: string): StorageOptions {
  const client = new Storage().authClient.fromJSON({
    type: 'authorized_user',
    client_id: 'none',
    client_secret: 'none',
    refresh_token: 'none',
  });
  client.setCredentials({ access_token: token, expiry_date: Date.now() + 3_600_000 });
  return { authClient: client, useAuthWithCustomEndpoint: true };
}
