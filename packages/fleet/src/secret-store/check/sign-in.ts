/** Checks that logins and accounts accept the store's values, with a session on a device or a token for an account. */

import { closing, errorText, type Finding, inParallel } from '@skolo/base';
import { type Credentials, readCredentials, Secret, type SecretRef } from '@skolo/base/secrets';
import { models, readables } from '@skolo/equipment/models';
import { loadBackups, loadDrivers } from '@skolo/equipment/models/load';
import {
  type Dial,
  type DialDatagrams,
  type HostKeys,
  openConnection,
  openExec,
  SessionPool,
  SignInRejected,
  targetOf,
} from '@skolo/equipment/transports';
import { snmpTo, upTime } from '@skolo/equipment/transports/snmp';
import { credentialFileKind, SignInError, serviceAccountKey } from '@skolo/google';
import { type Equipment, loginToRead, type Machine, type Rack } from '@skolo/rack';
import type { RackSecret } from '@skolo/rack/secrets';
import type { ContentDeps } from './content.ts';

interface SignInDeps extends Pick<ContentDeps, 'rack' | 'secrets' | 'values'> {
  /** Through the jumphost. */
  dial: Dial;
  /** Through the jumphost. */
  datagrams: DialDatagrams;
  /** This workstation's host keys. */
  hostKeys: HostKeys;
  /** Directory for large responses from devices. */
  scratch: string;
  signal: AbortSignal;
  /** Milliseconds since 1970. */
  now(): number;
}

/** Transports that work through the jumphost. */
const reachable: ReadonlySet<string> = new Set(['ssh', 'telnet', 'http', 'snmp']);
/** A sign-in, whose servers may be slow, and a short reading. */
const deadlineMs = 120_000;
const atOnce = 8;

/**
 * Signs in to each device and machine with a login, and requests a token for each service account key. A check that did not finish, for
 * example because the device did not respond, says nothing about the secrets.
 */
export async function checkSignIns(deps: SignInDeps): Promise<Finding[]> {
  const { rack } = deps;
  const devices = [...rack.equipment.values()].filter(({ login }) => login !== undefined);
  const machines = [...rack.machines.values()].filter(({ login }) => login !== undefined);
  const work: (() => Promise<Finding>)[] = [
    ...devices.flatMap((device) => [
      () => checkDevice(device, deps),
      ...readersOf(rack, device).map((login) => () => checkReader({ ...device, login }, deps)),
    ]),
    ...machines.map((machine) => () => checkMachine(machine, deps)),
    ...accountKeys(deps).map((secret) => () => checkAccount(secret, deps)),
  ];
  return await inParallel(work, atOnce, (one) => one());
}

/** Runs `ask`, and returns the outcome. */
async function outcome(
  about: Pick<Finding, 'thing' | 'where'>,
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<unknown>,
): Promise<Finding> {
  try {
    await ask(AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]));
    return { ...about, state: 'ok', found: 'opens' };
  } catch (error) {
    signal.throwIfAborted();
    const found = errorText(error);
    return isRejection(error)
      ? { ...about, state: 'differs', found: `rejected: ${found}` }
      : { ...about, state: 'unchecked', found };
  }
}

/** Whether the other end rejects the secrets: a timeout, for example, says nothing about them. */
function isRejection(error: unknown): boolean {
  return (
    error instanceof SignInRejected || (error instanceof SignInError && error.code === 'rejected')
  );
}

async function checkDevice(device: Equipment, deps: SignInDeps): Promise<Finding> {
  const { rack, hostKeys, dial, datagrams, scratch, signal } = deps;
  const { name, model, transport, login } = device;
  const about = { thing: secretsOfLogin(deps, login), where: [name] };
  if (!reachable.has(transport)) {
    return { ...about, state: 'skipped', found: `${transport} does not work through the jumphost` };
  }
  const credentials = () => loginCredentials(deps, login);
  const driver = (await loadDrivers()).get(model);
  const outlet = outletOf(rack, device);
  if (driver !== undefined && outlet !== undefined) {
    const sessions = new SessionPool();
    const outlets = driver.create(device, {
      credentials,
      hostKeys,
      sessions,
      dial,
      datagrams,
    });
    return await outcome(about, signal, (stop) => outlets.read([outlet], stop)).finally(() =>
      outlets.close(),
    );
  }
  if (transport === 'snmp') {
    // Every device supports this query.
    const snmp = snmpTo(device, { credentials, datagrams });
    return await outcome(about, signal, (stop) => snmp.read([], [upTime], stop));
  }
  const backup = (await loadBackups()).get(model);
  if (backup === undefined)
    return {
      ...about,
      state: 'skipped',
      found: 'the model does not support a read-only sign-in check',
    };
  return await outcome(about, signal, async (stop) => {
    const limits = { idleMs: 30_000, deadlineMs, signal: stop };
    const given = { credentials, hostKeys, scratch, dial, ...limits };
    await using connection = closing(openConnection(device, given));
    await backup(device).read(connection);
  });
}

/** Any outlet that is in use. */
function outletOf({ machines, equipment }: Rack, device: Equipment) {
  const feeds = [...machines.values(), ...equipment.values()].flatMap(({ power }) => power);
  const fed = feeds.find((feed) => feed.device === device.name)?.outlet;
  return fed ?? models.get(device.model)?.power?.outlets.only?.(device.options);
}

/** The logins that read it, if they are not the one that changes it. */
function readersOf(rack: Rack, device: Equipment): string[] {
  const all = readables.flatMap((what) => loginToRead(rack, device, what) ?? []);
  return [...new Set(all)].filter((login) => login !== device.login);
}

async function checkReader(
  device: Equipment & { login: string },
  deps: SignInDeps,
): Promise<Finding> {
  const check = device.transport === 'ssh' ? checkMachine : checkDevice;
  const found = await check(device, deps);
  return { ...found, where: [`${device.name} with ${device.login}`] };
}

/** Only signs in. */
async function checkMachine(machine: Machine | Equipment, deps: SignInDeps): Promise<Finding> {
  const { name, login } = machine;
  const about = { thing: secretsOfLogin(deps, login), where: [name] };
  return await outcome(about, deps.signal, async (stop) => {
    const credentials = () => loginCredentials(deps, login);
    const target = await targetOf(
      { ...machine, address: machine.address ?? name },
      { credentials },
      'ssh',
    );
    const session = await openExec(target, deps, stop);
    await session.close();
  });
}

/** The login with values from the store instead of local files. */
async function loginCredentials(
  { rack, secrets, values }: Pick<SignInDeps, 'rack' | 'secrets' | 'values'>,
  login: string | undefined,
): Promise<Credentials> {
  return await readCredentials(rack, login, async (ref) => {
    return await storedValue(secrets, ref, async ({ name }) => values.get(name));
  });
}

/** As a service reads it from a file. @throws Error The store does not contain it. */
export async function storedValue(
  secrets: readonly RackSecret[],
  ref: SecretRef,
  read: (secret: RackSecret) => Promise<Secret | undefined>,
): Promise<Secret> {
  const secret = secrets.find((each) => isAt(each, ref));
  const value = secret && (await read(secret));
  if (value !== undefined) return new Secret(value.reveal().replace(/\r?\n$/, ''));
  throw new Error(
    `${secret?.name ?? 'the secret'}: not in the store; save it with skolo secrets set`,
  );
}

function isAt({ name, paths }: RackSecret, ref: SecretRef): boolean {
  if ('env' in ref) return name === ref.env;
  return paths.some((path) => path === ref.file.replace(/^\.\//, ''));
}

function secretsOfLogin({ secrets }: SignInDeps, login: string | undefined): string {
  const own = secrets.filter(({ logins }) => logins.includes(login ?? ''));
  return own.map(({ name }) => name).join(',');
}

function accountKeys({ secrets, values }: SignInDeps): RackSecret[] {
  return secrets.filter(({ kind, name }) => {
    const text = values.get(name)?.reveal();
    if (text === undefined || kind === 'service-account-key') return text !== undefined;
    return kind === 'key-file' && credentialFileKind(text) === 'serviceAccountKey';
  });
}

async function checkAccount(secret: RackSecret, deps: SignInDeps): Promise<Finding> {
  const { rack, values, signal, now } = deps;
  const { name, where } = secret;
  const read = async () => values.get(name) ?? new Secret('');
  const source = serviceAccountKey({ name, read }, now);
  const identity = [...rack.identities.values()].find((each) =>
    where.some((path) => path.startsWith(`identities.${each.name}.`)),
  );
  const scopes = identity?.scopes ?? ['https://www.googleapis.com/auth/userinfo.email'];
  const email = await source.email().catch(() => undefined);
  const about = { thing: name, where: [email ?? name] };
  return await outcome(about, signal, (stop) => source.accessToken(scopes, stop));
}
