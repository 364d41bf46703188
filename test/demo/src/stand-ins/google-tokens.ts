/** Google's token endpoint, and the key files that are spent there. */
import type { Identity, Rack } from '@skolo/rack';
import { makeServiceAccountKey, startGoogleOAuth } from '@skolo/simulators';
import { writeSecret } from '../secret-files.ts';
import type { RunningStandIn, StandIn } from './stand-in.ts';

export const googleTokens: StandIn = { start };

async function start(rack: Rack, dir: string): Promise<RunningStandIn> {
  const google = await startGoogleOAuth();
  function newKey({ name, project, email }: Identity): string {
    const key = makeServiceAccountKey({
      email: email ?? `${name}@${project}.iam.gserviceaccount.com`,
      project,
      tokenUri: google.tokenUrl,
    });
    google.addServiceAccountKey(key);
    return `${JSON.stringify(key, null, 2)}\n`;
  }

  for (const identity of rack.identities.values()) {
    const { credentials } = identity;
    if (credentials.kind !== 'serviceAccountKey') continue;
    await writeSecret(dir, credentials.file, (found) =>
      found === undefined || isOurs(found) ? newKey(identity) : undefined,
    );
  }
  return { name: 'Google tokens', url: google.url, close: () => google.close() };
}

/** An earlier start made it. A real key that somebody put there is left alone. */
function isOurs(keyFile: string): boolean {
  return /"token_uri": "http:\/\/127\.0\.0\.1:\d+\/token"/.test(keyFile);
}
