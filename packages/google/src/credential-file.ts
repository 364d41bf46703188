/** The credential files that Google's tools write. https://google.aip.dev/auth/4110 and following */
import { createPrivateKey } from 'node:crypto';
import { isObject, parseJson } from '@skolo/base';
import {
  type AccountCredentials,
  isSafeForSecrets,
  readSecret,
  type Secret,
  secretPath,
} from '@skolo/secrets';
import { z } from 'zod';
import { SignInError } from './sign-in-error.ts';

const text = z.string().min(1);
const safeUrl = text.refine((url) => URL.canParse(url) && isSafeForSecrets(new URL(url)), {
  error: 'must be an https address (http only on loopback)',
});

export const ServiceAccountKey = z.looseObject({
  type: z.literal('service_account'),
  client_email: text,
  private_key: text.refine(isRsaKey, { error: 'is not an RSA key in PEM form' }),
  private_key_id: z.string().optional(),
  token_uri: safeUrl.default('https://oauth2.googleapis.com/token'),
});
export type ServiceAccountKey = z.infer<typeof ServiceAccountKey>;

export const AuthorizedUser = z.looseObject({
  type: z.literal('authorized_user'),
  client_id: text,
  client_secret: text,
  refresh_token: text,
});

export const ExternalAccount = z.looseObject({
  type: z.literal('external_account'),
  audience: text,
  subject_token_type: text,
  token_url: safeUrl,
  service_account_impersonation_url: safeUrl.optional(),
  credential_source: z.looseObject({
    file: z.string().optional(),
    url: z.string().optional(),
    executable: z
      .unknown()
      .optional()
      .refine((program) => program === undefined, { error: 'is not supported; use file or url' }),
  }),
});

/** A token that a user or another program renews, or the response of a token endpoint. */
export const FixedToken = z.looseObject({
  access_token: text,
  expiry: z.iso.datetime({ offset: true }).optional(),
  expires_in: z.number().optional(),
  id_token: z.string().optional(),
  email: z.string().optional(),
});
export type FixedToken = z.infer<typeof FixedToken>;

/** By their names in rack.yaml. */
const kinds = {
  serviceAccountKey: ServiceAccountKey,
  refreshToken: AuthorizedUser,
  externalAccount: ExternalAccount,
};
type FileKind = keyof typeof kinds;

/** The error in a credential file's content, without quoting it. */
export function credentialFileFault(kind: FileKind | 'fixed', content: string): string | undefined {
  const json = parseJson(content);
  if (kind === 'fixed') return fixedFault(content, json);
  const wanted = kinds[kind].shape.type.value;
  const type = z.looseObject({ type: z.unknown() }).safeParse(json).data?.type;
  if (type !== wanted) return `${foundType(json, type)}; expected a file of type ${wanted}`;
  const { error } = kinds[kind].safeParse(json);
  const faults = error?.issues.map(({ path, code, message }) => {
    return `${path.join('.')} ${code === 'custom' ? message : 'is missing or invalid'}`;
  });
  return faults?.join(', ');
}

/**
 * Errors in the credential files of a rack's identities, each with its path in rack.yaml. Files that cannot be read are
 * omitted.
 */
export async function credentialFaults(rack: {
  dir: string;
  identities: ReadonlyMap<string, { name: string; credentials: AccountCredentials }>;
}): Promise<{ path: string[]; message: string }[]> {
  const checks = [...rack.identities.values()].map(async ({ name, credentials }) => {
    const isBorrowed = credentials.kind === 'impersonate';
    const { kind, file } = isBorrowed ? credentials.from : credentials;
    const secret = await readSecret(rack, file).catch(() => undefined);
    const message = secret && credentialFileFault(kind, secret.reveal());
    if (message === undefined) return [];
    const path = ['identities', name, 'credentials', ...(isBorrowed ? ['from'] : []), kind];
    return [{ path, message: `${secretPath(rack, file)}: ${message}` }];
  });
  return (await Promise.all(checks)).flat();
}

/** Parses a credential file. Throws `SignInError` with the file and the error. */
export function parseCredentialFile<T>(
  schema: z.ZodType<T>,
  kind: FileKind,
  secret: Secret,
  file: string,
): T {
  const content = secret.reveal();
  const parsed = schema.safeParse(parseJson(content));
  if (parsed.success) return parsed.data;
  throw new SignInError('rejected', `${file}: ${credentialFileFault(kind, content)}`);
}

function fixedFault(content: string, json: unknown): string | undefined {
  if (!content.trimStart().startsWith('{')) {
    return /^\S+$/.test(content.trim()) ? undefined : 'must contain only a token on one line';
  }
  return FixedToken.safeParse(json).success
    ? undefined
    : 'expected a token on one line, or JSON with access_token and optionally expiry (RFC 3339)';
}

function isRsaKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}

/** Quotes the type only if it is one of Google's, because anything else may be a secret. */
function foundType(json: unknown, type: unknown): string {
  if (!isObject(json)) return 'not a JSON object';
  const other = Object.entries(kinds).find(([, { shape }]) => shape.type.value === type);
  if (other === undefined) return 'not a Google credentials file';
  return `is of type ${String(type)}, which belongs in ${other[0]}`;
}
