/** Whether the file of an identity's credentials is of the kind that rack.yaml calls it. */
import { credentialFileFault } from '@skolo/google';
import type { Rack } from '@skolo/rack';
import { type AccountCredentials, readSecret, secretPath } from '@skolo/secrets';

export interface CredentialFault {
  /** As in rack.yaml: `identities.bots.credentials.serviceAccountKey`. */
  where: string;
  /** What is wrong, without any content. */
  message: string;
}

/** What is wrong with the credential files of a rack. Those that cannot be read are left to `checkSecrets`. */
export async function credentialFaults(rack: Rack): Promise<CredentialFault[]> {
  const checks = [...rack.identities.values()].map(async ({ name, credentials }) => {
    const { where, source } = sourceOf(`identities.${name}.credentials`, credentials);
    const text = await readSecret(rack, source.file).then(
      (secret) => secret.reveal(),
      () => undefined,
    );
    const message = text === undefined ? undefined : credentialFileFault(source.kind, text);
    return message === undefined
      ? []
      : [{ where, message: `${secretPath(rack, source.file)}: ${message}` }];
  });
  return (await Promise.all(checks)).flat();
}

function sourceOf(where: string, credentials: AccountCredentials) {
  return credentials.kind === 'impersonate'
    ? { where: `${where}.from.${credentials.from.kind}`, source: credentials.from }
    : { where: `${where}.${credentials.kind}`, source: credentials };
}
