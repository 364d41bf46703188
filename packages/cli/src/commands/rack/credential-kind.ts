/** Whether the file of an identity's credentials is of the kind that rack.yaml calls it. */
import {
  type Credentials,
  type Rack,
  readSecret,
  type SourceCredentials,
  secretPath,
} from '@skolo/rack';
import { z } from 'zod';

/** As Google writes them: `type`, and what cannot be done without. https://google.aip.dev/auth/4110 and following */
const kinds: Record<
  Exclude<SourceCredentials['kind'], 'fixed'>,
  { type: string; keys: string[] }
> = {
  serviceAccountKey: { type: 'service_account', keys: ['client_email', 'private_key'] },
  refreshToken: { type: 'authorized_user', keys: ['client_id', 'client_secret', 'refresh_token'] },
  externalAccount: {
    type: 'external_account',
    keys: ['audience', 'subject_token_type', 'token_url', 'credential_source'],
  },
};

const CredentialFile = z.record(z.string(), z.unknown());

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
    const message = text === undefined ? undefined : faultOf(source.kind, text);
    return message === undefined
      ? []
      : [{ where, message: `${secretPath(rack, source.file)}: ${message}` }];
  });
  return (await Promise.all(checks)).flat();
}

function sourceOf(where: string, credentials: Credentials) {
  return credentials.kind === 'impersonate'
    ? { where: `${where}.from.${credentials.from.kind}`, source: credentials.from }
    : { where: `${where}.${credentials.kind}`, source: credentials };
}

function faultOf(kind: SourceCredentials['kind'], text: string): string | undefined {
  if (kind === 'fixed') return fixedFaultOf(text);
  const { type, keys } = kinds[kind];
  const file = parseJson(text);
  if (file === undefined) return `not a JSON object; ${kind} wants a file of type ${type}`;
  if (file.type !== type) return `${foundType(file.type)}; ${kind} wants a file of type ${type}`;
  const missing = keys.filter((key) => !file[key]);
  return missing.length === 0 ? undefined : `has no ${missing.join(', ')}; is it complete?`;
}

/** The token itself on one line, or JSON that has it as `access_token`. */
function fixedFaultOf(text: string): string | undefined {
  if (text.trimStart().startsWith('{')) {
    return parseJson(text)?.access_token ? undefined : 'JSON without an access_token';
  }
  return /^\S+$/.test(text.trim()) ? undefined : 'more than a token on one line';
}

/** Names the type only where it is one of Google's: whatever else is there may be anything. */
function foundType(type: unknown): string {
  const other = Object.entries(kinds).find(([, known]) => known.type === type);
  if (other === undefined) return 'not a credential file of Google';
  return `is of type ${other[1].type}, which belongs under ${other[0]}`;
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    return CredentialFile.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
