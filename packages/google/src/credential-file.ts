/** Checks the credential files that Google's tools write. https://google.aip.dev/auth/4110 and following */
import { createPrivateKey } from 'node:crypto';
import { isObject, parseJson } from '@skolo/base';
import { isSafeForSecrets, type Secret } from '@skolo/base/secrets';
import { z } from 'zod';
import { SignInError } from './sign-in-error.ts';

const text = z.string().min(1);
const escapedTwice =
  'contains \\n as text instead of line breaks: it was escaped twice; save the original file again';
const safeUrl = text.refine((url) => URL.canParse(url) && isSafeForSecrets(new URL(url)), {
  error: 'must be an https address (http only on loopback)',
});

export const ServiceAccountKey = z.looseObject({
  type: z.literal('service_account'),
  client_email: z.string().regex(/^\S+@\S+$/),
  private_key: text
    .refine((pem) => !/-----\\+n/.test(pem), { error: escapedTwice, abort: true })
    .refine(isRsaKey, { error: 'is not an RSA key in PEM form' }),
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
  credential_source: z
    .looseObject({
      file: text.optional(),
      url: safeUrl.optional(),
      headers: z.record(z.string(), z.string()).optional(),
      format: z
        .union([
          z.looseObject({ type: z.literal('text') }),
          z.looseObject({ type: z.literal('json'), subject_token_field_name: text }),
        ])
        .optional(),
    })
    .refine(
      ({ format: _, headers: __, ...source }) => /^(file|url)$/.test(Object.keys(source).join()),
      { error: 'must contain either file or url; executable and other kinds are not supported' },
    ),
});
export type ExternalAccount = z.infer<typeof ExternalAccount>;

/** A token that a user or another program renews, or the response of a token endpoint. */
export const FixedToken = z.looseObject({
  access_token: text,
  expiry: z.iso.datetime({ offset: true }).optional(),
  // Of the whole life: what is left of it is bounded.
  expires_in: z.coerce.number({ error: 'must be a number of seconds' }).optional(),
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
export type FileKind = keyof typeof kinds;
const fileKinds = ['serviceAccountKey', 'refreshToken', 'externalAccount'] as const;

/** Undefined for types that only the library supports, and for other content. */
export function credentialFileKind(content: string): FileKind | undefined {
  const { data } = z.looseObject({ type: z.string() }).safeParse(parseJson(content));
  return fileKinds.find((kind) => kinds[kind].shape.type.value === data?.type);
}

/** The error in a credential file's content, without quoting it. */
export function credentialFileFault(
  kind: FileKind | 'fixed' | 'any',
  content: string,
): string | undefined {
  const json = parseJson(content);
  if (kind === 'fixed') return fixedFault(content, json);
  const type = z.looseObject({ type: z.unknown() }).safeParse(json).data?.type;
  if (kind === 'any') {
    const known = credentialFileKind(content);
    if (known !== undefined) return credentialFileFault(known, content);
    // Only the library supports other types.
    return typeof type === 'string' ? undefined : 'not a Google key file';
  }
  const wanted = kinds[kind].shape.type.value;
  if (type !== wanted) return `${foundType(json, type)}; expected a file of type ${wanted}`;
  const { error } = kinds[kind].safeParse(json);
  const faults = error?.issues.map(({ path, code, message }) => {
    return `${path.join('.')} ${code === 'custom' ? message : 'is missing or invalid'}`;
  });
  return faults?.join(', ');
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
