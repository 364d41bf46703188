/** Decides whether a secret's value is valid: single values, and values that belong together. Messages never quote a value. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { sha256 } from '@skolo/base';
import { agentKeyFault, type Secret, valuesIn } from '@skolo/base/secrets';
import { credentialFileFault } from '@skolo/google';
import type { Rack } from '@skolo/rack';
import type { RackSecret } from '@skolo/rack/secrets';
import { identityToRecipient } from 'age-encryption';
import { expiryOf, readTokens } from './expiry.ts';

export interface ContentDeps {
  rack: Rack;
  secrets: readonly RackSecret[];
  /** By name. */
  values: ReadonlyMap<string, Secret>;
  /** Milliseconds since 1970. */
  now: number;
}

/** Undefined: it is valid. */
export async function contentFault(
  secret: RackSecret,
  value: Secret,
  deps: ContentDeps,
): Promise<string | undefined> {
  const text = value.reveal();
  const expires = expiryOf(secret.kind, value);
  if (expires !== undefined && expires.getTime() <= deps.now) {
    return `expired on ${expires.toISOString().slice(0, 10)}`;
  }
  switch (secret.kind) {
    case 'service-account-key':
      return credentialFileFault('serviceAccountKey', text);
    case 'refresh-token':
      return credentialFileFault('refreshToken', text);
    case 'external-account':
      return credentialFileFault('externalAccount', text);
    case 'fixed-token':
      return credentialFileFault('fixed', text);
    case 'key-file':
      return credentialFileFault('any', text);
    case 'ssh-key':
    case 'rack-key':
    case 'adb-key':
      return text.startsWith('-----BEGIN ') && text.includes(' PRIVATE KEY-----')
        ? undefined
        : 'is not a private key';
    case 'agent-key':
      return deps.rack.access.agents && agentKeyFault(value, deps.rack.access.agents);
    case 'snmp-key':
      // RFC 3414, section 11.2
      return valuesIn(value).every((each) => each.reveal().trimEnd().length >= 8)
        ? undefined
        : 'has fewer than 8 characters, the minimum for SNMPv3';
    case 'token-file':
      return readTokens(text) === undefined ? 'is not a token file' : undefined;
    case 'api-token':
      return apiTokenFault(text, deps);
    case 'tls-key':
      return tlsKeyFault(secret, text, deps);
    case 'certificate':
      return expires === undefined ? 'is not a certificate' : undefined;
    case 'age-identity':
      return await identityFault(text, deps.rack);
    default:
      return undefined;
  }
}

function apiTokenFault(text: string, { secrets, values, now }: ContentDeps): string | undefined {
  const file = secrets.find(({ kind }) => kind === 'token-file');
  const tokens = file && values.get(file.name);
  if (file === undefined || tokens === undefined) return undefined;
  const hash = sha256(text.trim());
  const found = readTokens(tokens.reveal())?.find(({ sha256 }) => sha256 === hash);
  if (found === undefined) return `is not in ${file.name}, so services reject it`;
  return found.expires.getTime() <= now ? `expired on ${found.expires.toISOString()}` : undefined;
}

/** The certificate of the same service. */
function tlsKeyFault(
  { where }: RackSecret,
  text: string,
  { secrets, values }: ContentDeps,
): string | undefined {
  const wanted = where.map((path) => path.replace(/\.key$/, '.cert'));
  const certificate = secrets.find((each) => each.where.some((path) => wanted.includes(path)));
  try {
    const key = createPrivateKey(text);
    const pem = certificate && values.get(certificate.name)?.reveal();
    if (pem === undefined || new X509Certificate(pem).checkPrivateKey(key)) return undefined;
    return `does not match the certificate ${certificate?.name}`;
  } catch {
    return 'is not a private key in PEM format';
  }
}

async function identityFault(text: string, { services }: Rack): Promise<string | undefined> {
  const { encrypt } = services['router-backup'];
  const lines = text.split(/\r?\n/).filter((line) => line.startsWith('AGE-SECRET-KEY-'));
  const recipients = await Promise.all(
    lines.map((line) => identityToRecipient(line).catch(() => '')),
  );
  if (!recipients.some((recipient) => recipient !== '')) return 'is not an age identity';
  if (!Array.isArray(encrypt) || recipients.some((each) => encrypt.includes(each)))
    return undefined;
  return 'cannot decrypt backups, because its recipient is not in services.router-backup.encrypt';
}
