/** How to sign in to a device, with the secrets of its login read. */
import type { Login, SecretRef } from './login.ts';
import { readSecret, Secret } from './secret.ts';

export interface Credentials {
  username?: string;
  password?: Secret;
  enablePassword?: Secret;
  privateKey?: Secret;
  passphrase?: Secret;
  /** Bearer token, for HTTP. */
  token?: Secret;
  /** Also offer the key exchanges and ciphers that old devices need. */
  legacySsh: boolean;
  snmp?: SnmpCredentials;
}

export interface SnmpCredentials
  extends Pick<NonNullable<Login['snmp']>, 'version' | 'user' | 'authProtocol' | 'privProtocol'> {
  community?: Secret;
  authKey?: Secret;
  privKey?: Secret;
}

/** What must be seen nowhere. */
export function secretsOf(credentials: Credentials): string[] {
  const all = [...Object.values(credentials), ...Object.values(credentials.snmp ?? {})];
  return all.filter((value) => value instanceof Secret).map((secret) => secret.reveal());
}

/**
 * Reads the secrets of a login, anew at each call, so that a rotated password is picked up. Without a login: nothing.
 *
 * @param readRef reads one of them; default: from its file or variable
 * @throws SecretError One of them cannot be read.
 */
export async function readCredentials(
  rack: { dir: string; logins: ReadonlyMap<string, Login> },
  name: string | undefined,
  readRef: (ref: SecretRef) => Promise<Secret> = (ref) => readSecret(rack, ref),
): Promise<Credentials> {
  const login = name === undefined ? undefined : rack.logins.get(name);
  if (login === undefined) return { legacySsh: false };
  const read = async <K extends string>(key: K, ref: SecretRef | undefined) =>
    ref === undefined ? undefined : ({ [key]: await readRef(ref) } as Record<K, Secret>);
  const { username, legacySsh, snmp } = login;
  return {
    legacySsh,
    ...(username !== undefined && { username }),
    ...(await read('password', login.password)),
    ...(await read('enablePassword', login.enablePassword)),
    ...(await read('privateKey', login.privateKey)),
    ...(await read('passphrase', login.passphrase)),
    ...(await read('token', login.token)),
    ...(snmp && {
      snmp: {
        version: snmp.version,
        authProtocol: snmp.authProtocol,
        privProtocol: snmp.privProtocol,
        ...(snmp.user !== undefined && { user: snmp.user }),
        ...(await read('community', snmp.community)),
        ...(await read('authKey', snmp.authKey)),
        ...(await read('privKey', snmp.privKey)),
      },
    }),
  };
}
