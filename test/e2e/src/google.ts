import { writeFile } from 'node:fs/promises';
import { makeServiceAccountKey, startGoogleOAuth } from '@skolo/simulators';
import { onTestFinished } from 'vitest';

/** Google's token endpoint, and a file with the key of a service account that it knows. */
export async function startGoogle(account: 'bots' | 'jumphost', keyFile: string) {
  const google = await startGoogleOAuth();
  onTestFinished(() => google.close());
  const key = makeServiceAccountKey({
    email: `${account}@my-project.iam.gserviceaccount.com`,
    project: 'my-project',
    tokenUri: google.tokenUrl,
  });
  google.addServiceAccountKey(key);
  await writeFile(keyFile, JSON.stringify(key), { mode: 0o600 });
  return google;
}
