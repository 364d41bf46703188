/** Google's token endpoint, and the key files for it. */
import type { Identity } from '@skolo/rack';
import { makeServiceAccountKey, startGoogleOAuth } from '@skolo/simulators';
import { writeSecret } from '../folder/secret-files.ts';
import type { Simulator } from './simulator.ts';

export async function startGoogleTokens(): Promise<Simulator> {
  const google = await startGoogleOAuth();
  /** Once per start, because the address changes; not again if one is removed. */
  const made = new Set<string>();

  function newKey({ name, project, email }: Identity): string {
    const key = makeServiceAccountKey({
      email: email ?? `${name}@${project}.iam.gserviceaccount.com`,
      project,
      tokenUri: google.tokenUrl,
    });
    google.addServiceAccountKey(key);
    return `${JSON.stringify(key, null, 2)}\n`;
  }

  return {
    name: 'Google tokens',
    url: google.url,
    async follow(rack, dir) {
      for (const identity of rack.identities.values()) {
        const { credentials } = identity;
        if (credentials.kind !== 'serviceAccountKey' || made.has(credentials.file)) continue;
        made.add(credentials.file);
        await writeSecret(dir, credentials.file, (found) =>
          found === undefined || isOurs(found) ? newKey(identity) : undefined,
        );
      }
    },
    close: () => google.close(),
  };
}

/** Created by an earlier start. A real key is left unchanged. */
function isOurs(keyFile: string): boolean {
  return /"token_uri": "http:\/\/127\.0\.0\.1:\d+\/token"/.test(keyFile);
}
