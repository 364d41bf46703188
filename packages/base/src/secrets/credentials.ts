/** Reads the passwords and keys of a login, and decides in which order several values (old and new) are tried. */
import type { Login, SecretRef } from './login.ts';
import { readSecret, Secret } from './secret.ts';

/** `kg` is text, or `0x` and hexadecimal digits. */
const secretKeys = [
  'password',
  'enablePassword',
  'privateKey',
  'passphrase',
  'kg',
  'token',
] as const;
/** Of these, a device never has another one. */
const single: readonly string[] = ['passphrase', 'token'];

/** A login with the values of its secrets. */
export interface Credentials
  extends Pick<Login, 'username' | 'enablePrompt' | 'legacySsh' | 'signInSeconds'>,
    Partial<Record<(typeof secretKeys)[number], Secret>> {
  snmp?: SnmpCredentials;
  /** Previous and next values, for devices that use those. The first is used until it is rejected. */
  others?: readonly Credentials[];
  /** A password is offered once, in one way: some devices lock an account after a few rejections. */
  once?: true;
}

export interface SnmpCredentials
  extends Pick<NonNullable<Login['snmp']>, 'version' | 'user' | 'authProtocol' | 'privProtocol'> {
  community?: Secret;
  authKey?: Secret;
  privKey?: Secret;
}

/** Values that must never be shown. */
export function secretsOf(credentials: Credentials): string[] {
  const { others = [], snmp = {}, ...own } = credentials;
  const all = [...Object.values(own), ...Object.values(snmp)];
  const found = all.filter((value) => value instanceof Secret).map((secret) => secret.reveal());
  return [...new Set([...found, ...others.flatMap(secretsOf)])];
}

/**
 * Reads a login's secrets again at each call, so that a rotated password is used. Empty without a login. A secret
 * may have more than one value, see {@link valuesIn}.
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
  const { username, legacySsh, signInSeconds, enablePrompt, snmp } = login;
  const plainly = {
    legacySsh,
    ...(username !== undefined && { username }),
    ...(signInSeconds !== undefined && { signInSeconds }),
    ...(enablePrompt !== undefined && { enablePrompt }),
  };
  let all: Generation[] = [{ credentials: plainly, ages: [] }];
  const each = async (
    ref: SecretRef | undefined,
    withValue: (credentials: Credentials, value: Secret) => Credentials,
    hasOthers = true,
  ) => {
    if (ref === undefined) return;
    const secret = await readRef(ref);
    const values = hasOthers ? valuesIn(secret) : [secret];
    all = all.flatMap(({ credentials, ages }) =>
      values.map((value, age) => ({
        credentials: withValue(credentials, value),
        ages: values.length > 1 ? [...ages, age] : ages,
      })),
    );
  };
  for (const key of secretKeys) {
    await each(login[key], (c, value) => ({ ...c, [key]: value }), !single.includes(key));
  }
  if (snmp !== undefined) {
    const { version, authProtocol, privProtocol, user } = snmp;
    const plain = { version, authProtocol, privProtocol, ...(user !== undefined && { user }) };
    all = all.map(({ credentials, ages }) => ({
      credentials: { ...credentials, snmp: plain },
      ages,
    }));
    await each(snmp.community, (c, community) => ({
      ...c,
      snmp: { ...plain, ...c.snmp, community },
    }));
    await each(snmp.authKey, (c, authKey) => ({ ...c, snmp: { ...plain, ...c.snmp, authKey } }));
    await each(snmp.privKey, (c, privKey) => ({ ...c, snmp: { ...plain, ...c.snmp, privKey } }));
  }
  const [first = { legacySsh }, ...rest] = all.sort(byAge).map(({ credentials }) => credentials);
  const others = rest.slice(0, mostOthers);
  return others.length === 0 ? first : { ...first, others };
}

interface Generation {
  credentials: Credentials;
  /** Of secrets with several values: the index of the one that is taken. */
  ages: number[];
}

/** First values of one age, as a device has those of one configuration; then the newer ones. */
function byAge({ ages: one }: Generation, { ages: other }: Generation): number {
  const spread = (ages: number[]) => Math.max(0, ...ages) - Math.min(...ages, Math.max(0, ...ages));
  const sum = (ages: number[]) => ages.reduce((total, age) => total + age, 0);
  return spread(one) - spread(other) || sum(one) - sum(other);
}

/** Many devices lock an account after a few rejected sign-ins. */
const mostOthers = 3;

/**
 * The values of a secret that devices ask for: the one in use, and others that some devices may still or already have. A
 * password is a line, a key in PEM goes from BEGIN to END. A key of another form is one value.
 */
export function valuesIn(secret: Secret): Secret[] {
  const text = secret.reveal();
  if (!text.includes('\n')) return [secret];
  const keys = text.match(/-----BEGIN [\s\S]*?-----END [^\n]*/g);
  const isForm = /^PuTTY-User-Key/.test(text);
  const values =
    keys?.map((key) => `${key}\n`) ?? text.split(/\r?\n/).filter((line) => line !== '');
  return isForm || values.length < 2 ? [secret] : values.map((value) => new Secret(value));
}
