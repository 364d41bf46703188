/**
 * Common parts of all rotations of secrets: when services have the new value, how long both values are kept, and where the state is stored.
 */

import { closing, errorText, inParallel } from '@skolo/base';
import { type Credentials, Secret } from '@skolo/base/secrets';
import type { AccountPart, AccountSession } from '@skolo/equipment/models/accounts';
import { loadAccounts } from '@skolo/equipment/models/load';
import type { Dial, DialDatagrams, HostKeys } from '@skolo/equipment/transports';
import type { InfrastructureDevice, Machine, Rack } from '@skolo/rack';
import type { RackSecret } from '@skolo/rack/secrets';
import { askSnmp, loginCredentials } from '../check/sign-in.ts';
import type { SecretStore } from '../stores/store.ts';

export interface RotateDeps {
  rack: Rack;
  secrets: readonly RackSecret[];
  store: SecretStore;
  /** Through the jumphost. */
  dial: Dial;
  /** Through the jumphost. */
  datagrams: DialDatagrams;
  hostKeys: HostKeys;
  /** Delivers the store's value to the rack, and verifies it. @returns the number of written places */
  apply(): Promise<number>;
  /** Whether others also have the store's values; for files in git, whether they are committed. */
  isShared(places: readonly string[]): Promise<boolean>;
  /** Machines and devices that keep the previous value for now. */
  leaveOut: readonly string[];
  /** Milliseconds since 1970. */
  now(): number;
  report(text: string): void;
  signal: AbortSignal;
}

export interface RotateOutcome {
  isDone: boolean;
  /** Machines and devices on which a step failed, with the reason. */
  failed: { name: string; why: string }[];
  /** What to do before the next run. */
  next?: string;
}

/** Instructions after a failure. */
export const repair = 'repair them and run the command again, or skip them with --leave-out NAME';

/** To be run again. */
export function again(next: string, failed: RotateOutcome['failed'] = []): RotateOutcome {
  return { isDone: false, failed, next };
}

/** Time until kubelets have updated a changed Secret, and services have read it. */
const settleMs = 3 * 60_000;
const atOnce = 8;
/** Time limit for all sessions with a device, because some take minutes to save. */
const deadlineMs = 300_000;

export type Target = (Machine | InfrastructureDevice) & { login?: string };

/** Its state is in the store, so that a rotation continues after any interruption. */
export function placesOf({ name }: RackSecret, rack: Rack) {
  return {
    /** The new value, from the first step to the last. */
    next: `${rack.name}/next/${name}`,
    /** Earlier values, by time. */
    previous: `${rack.name}/previous/${name}`,
    /** Values of skipped devices, by device. */
    leftOut: `${rack.name}/left-out/${name}`,
  };
}

/** All targets that sign in with it. */
export function targetsOf({ logins }: RackSecret, { machines, infrastructure }: Rack): Target[] {
  return [...machines.values(), ...infrastructure.values()].filter(
    ({ login }) => login !== undefined && logins.includes(login),
  );
}

export function targetsNow(secret: RackSecret, { rack, leaveOut }: RotateDeps): Target[] {
  return targetsOf(secret, rack).filter(({ name }) => !leaveOut.includes(name));
}

/** The parts of a login that are this secret. */
export function partsOf({ where }: RackSecret, login: string | undefined): string[] {
  return where.flatMap((path) => {
    const start = `logins.${login}.`;
    return path.startsWith(start) ? [path.slice(start.length)] : [];
  });
}

/** As an input for a model, in which a machine is a Linux host. */
export function deviceOf(target: Target): InfrastructureDevice | (Machine & { model: 'linux' }) {
  return 'model' in target ? target : { ...target, model: 'linux' };
}

function timeName(ms: number): string {
  return new Date(ms).toISOString().replaceAll(':', '-');
}

interface Previous {
  place: string;
  value: Secret;
  /** Milliseconds since 1970. */
  at: number;
}

export async function previousOf(
  folder: string,
  { store, signal }: RotateDeps,
): Promise<Previous | undefined> {
  const place = (await store.list(folder)).at(-1);
  const value = place === undefined ? undefined : await store.read(place, signal);
  if (place === undefined || value === undefined) return undefined;
  const written = place.slice(folder.length + 1);
  const at = Date.parse(written.replace(/T(\d\d)-(\d\d)-/, 'T$1:$2:'));
  return { place, value, at };
}

/** Values of skipped devices, by device name. */
export async function leftOutOf(
  secret: RackSecret,
  { rack, store, signal }: RotateDeps,
): Promise<Map<string, Secret>> {
  const folder = placesOf(secret, rack).leftOut;
  const found = new Map<string, Secret>();
  for (const place of await store.list(folder)) {
    const value = await store.read(place, signal);
    if (value !== undefined) found.set(place.slice(folder.length + 1), value);
  }
  return found;
}

/**
 * The new value of an earlier run, or else a new one. Targets that were skipped before get the store's value first.
 *
 * @param make creates a new value
 * @param work as in {@link bringUp}
 */
export async function nextValue(
  secret: RackSecret,
  current: Secret,
  deps: RotateDeps,
  make: () => Promise<{ value: Secret }>,
  work: Parameters<typeof bringUp>[3],
): Promise<{ next: Secret } | { behind: RotateOutcome }> {
  const { rack, store, signal, report } = deps;
  const places = placesOf(secret, rack);
  const started = await store.read(places.next, signal);
  if (started !== undefined) return { next: started };
  const behind = await bringUp(secret, current, deps, work);
  if (behind !== undefined) return { behind };
  const { value: next } = await make();
  await store.write(places.next, next);
  report(`${secret.name}: new ${nounOf(secret)} generated`);
  return { next };
}

/** What to do until services have the new value; undefined if they have it. */
export async function untilServicesHave(
  secret: RackSecret,
  { place, changedAt, to }: { place: string; changedAt: number; to: string },
  { isShared, now }: RotateDeps,
): Promise<string | undefined> {
  const noun = nounOf(secret);
  if (!(await isShared([secret.place, place]))) {
    return `commit and push the store, so that the new ${noun} is not only on this workstation; in 3 min, when services have loaded it, run the command again${to}`;
  }
  const waitMs = changedAt + settleMs - now();
  if (waitMs <= 0) return undefined;
  return `services load the new ${noun} within minutes; run the command again in ${Math.ceil(waitMs / 60_000)} min${to}`;
}

/**
 * Sets the store's value on targets that were skipped before.
 *
 * @param work receives the values of all skipped devices, by device name
 * @returns undefined: nothing was skipped, or it is still skipped
 */
async function bringUp(
  secret: RackSecret,
  current: Secret,
  deps: RotateDeps,
  work: (target: Target, leftOut: ReadonlyMap<string, Secret>) => Promise<void>,
): Promise<RotateOutcome | undefined> {
  const { rack, store, leaveOut, report } = deps;
  const leftOut = await leftOutOf(secret, deps);
  const names = [...leftOut.keys()].filter((name) => !leaveOut.includes(name));
  if (names.length === 0) return undefined;
  const targets = targetsOf(secret, rack).filter(({ name }) => names.includes(name));
  const noun = nounOf(secret);
  const failed = await atEach(targets, [current, ...leftOut.values()], deps, async (target) => {
    await work(target, leftOut);
    report(`${target.name} now uses the ${noun} from the store`);
  });
  // Devices that were removed from rack.yaml are also removed.
  const done = names.filter((name) => !failed.some((each) => each.name === name));
  for (const name of done) await store.remove(`${placesOf(secret, rack).leftOut}/${name}`);
  return again(
    failed.length > 0
      ? `the failed machines and equipment still use a previous ${noun}; ${repair}`
      : `the machines and equipment that were skipped before now use the ${noun} from the store; run the command again to create a new one`,
    failed,
  );
}

/**
 * Makes the new value the first one in the store. The previous one stays after it, because a device whose configuration from yesterday is
 * restored uses it again, and skipped devices still use it.
 */
export async function replaceInStore(
  secret: RackSecret,
  { current, next }: { current: Secret; next: Secret },
  deps: RotateDeps,
): Promise<void> {
  const { rack, store, now, leaveOut } = deps;
  const places = placesOf(secret, rack);
  const leftOut = await leftOutOf(secret, deps);
  for (const name of leaveOut) {
    if (leftOut.has(name)) continue;
    await store.write(`${places.leftOut}/${name}`, current);
    leftOut.set(name, current);
  }
  const previous = await previousOf(places.previous, deps);
  if (previous === undefined || !isSame(previous.value, current)) {
    await store.write(`${places.previous}/${timeName(now())}`, current);
  }
  await store.write(secret.place, joined([next, current, ...leftOut.values()]));
}

/** Trailing line breaks belong to the file, not to the value. */
export function isSame(one: Secret, other: Secret): boolean {
  const text = (value: Secret) => value.reveal().replace(/[\r\n]+$/, '');
  return text(one) === text(other);
}

/** Combines values: the first is used, and the others are tried if a device rejects it. */
export function joined(values: readonly Secret[]): Secret {
  const texts = new Set(values.map((value) => value.reveal().replace(/\r?\n$/, '')));
  const text = [...texts].join('\n');
  // OpenSSH rejects a key without a trailing line break.
  return new Secret(text.includes('-----BEGIN') ? `${text}\n` : text);
}

/** The failures. Messages do not contain values. */
export async function atEach(
  targets: readonly Target[],
  values: readonly Secret[],
  { signal }: RotateDeps,
  work: (target: Target) => Promise<void>,
): Promise<RotateOutcome['failed']> {
  const results = await inParallel(targets, atOnce, async (target) => {
    try {
      await work(target);
      return [];
    } catch (error) {
      signal.throwIfAborted();
      const why = values.reduce(
        (text, value) => text.replaceAll(value.reveal(), '<secret>'),
        errorText(error),
      );
      return [{ name: target.name, why }];
    }
  });
  return results.flat();
}

/** As text: the targets that use the new value now. */
export function opensText(noun: string | undefined, { length }: readonly Target[]): string {
  // All were skipped, or no entry in rack.yaml uses its login.
  if (length === 0) return 'no machine or equipment needs a change';
  const targets = length === 1 ? '1 host' : `${length} hosts`;
  return `the new ${noun} works on ${targets}`;
}

/** The login of a target, with these values of the secret. */
export async function credentialsWith(
  target: Target,
  secret: RackSecret,
  values: readonly Secret[],
  { rack, secrets, store, signal }: RotateDeps,
): Promise<Credentials> {
  const all = new Map([[secret.name, joined(values)]]);
  for (const other of secrets) {
    const isOfLogin = other.logins.includes(target.login ?? '') && other.name !== secret.name;
    const value = isOfLogin ? await store.read(other.place, signal) : undefined;
    if (value !== undefined) all.set(other.name, value);
  }
  return await loginCredentials({ rack, secrets, values: all }, target.login);
}

/** @throws DeviceError SignInRejected if the device does not accept any of the credentials */
export async function inSession<T>(
  target: Target,
  credentials: Credentials,
  { dial, hostKeys, signal }: RotateDeps,
  work: (session: AccountSession) => Promise<T>,
): Promise<T> {
  const stop = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  const device = deviceOf(target);
  const accounts = await loadAccounts(device);
  if (typeof accounts === 'string') throw new Error(`${target.name}: ${accounts}`);
  const given = { credentials: async () => credentials, dial, hostKeys };
  const place = {
    transport: 'ssh' as const,
    options: {},
    ...device,
    address: device.address ?? device.name,
  };
  await using session = closing(await accounts.open(place, given, stop));
  return await work(session);
}

/** @throws DeviceError It does not respond, or rejects this login. */
export async function proveSnmp(
  target: Target,
  credentials: Credentials,
  { datagrams, signal }: RotateDeps,
): Promise<void> {
  const stop = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  const device = deviceOf(target);
  const place = { ...device, address: device.address ?? device.name };
  await askSnmp(place, { credentials: async () => credentials, datagrams }, stop);
}

const accountParts = {
  password: true,
  enablePassword: true,
  'snmp.community': true,
  'snmp.authKey': true,
  'snmp.privKey': true,
} satisfies Record<AccountPart, true>;

export function isAccountPart(part: string): part is AccountPart {
  return Object.hasOwn(accountParts, part);
}

const nouns: Partial<Record<RackSecret['kind'], string>> = {
  password: 'password',
  'ssh-key': 'key',
  'snmp-community': 'community',
  'snmp-key': 'SNMP key',
};

/** For messages. Undefined: this kind is not rotated. */
export function nounOf({ kind }: RackSecret): string | undefined {
  return nouns[kind];
}

export function isSnmpPart(part: string): boolean {
  return part.startsWith('snmp.');
}
