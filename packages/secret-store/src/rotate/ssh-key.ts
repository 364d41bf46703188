/**
 * Replaces an ssh key that machines and Linux devices accept, without a moment in which the key of the store opens nothing.
 *
 * Its state is in the store, so it goes on after any interruption: `RACK/next/NAME` has the new key from the first step to
 * the last, and `RACK/former/NAME/TIME` each earlier one. Every step may be done twice.
 */
import {
  type Dial,
  type ExecSession,
  type HostKeys,
  openExec,
  publicKeyOf,
  SignInRefused,
  targetOf,
} from '@skolo/equipment';
import { errorText, inParallel } from '@skolo/errors';
import type { InfrastructureDevice, Machine, Rack } from '@skolo/rack';
import type { RackSecret } from '@skolo/rack/secrets';
import { type Credentials, Secret } from '@skolo/secrets';
import { StoreError } from '../errors.ts';
import { generateValue } from '../generate.ts';
import type { SecretStore } from '../store.ts';
import { addKey, removeKey } from './authorized-keys.ts';

export interface RotateDeps {
  rack: Rack;
  store: SecretStore;
  /** Through the jumphost. */
  dial: Dial;
  hostKeys: HostKeys;
  /** Brings the store's value to the rack, and proves it. */
  apply(): Promise<void>;
  /** Whether the store's values are where others have them, too: for files in git, committed. */
  isShared(places: readonly string[]): Promise<boolean>;
  /** Milliseconds since 1970. */
  now(): number;
  report(text: string): void;
  signal: AbortSignal;
}

export interface RotateOutcome {
  isDone: boolean;
  /** Machines and devices, and why a step failed there. */
  failed: { name: string; why: string }[];
  /** What to do before the next run. */
  next?: string;
}

/** Until kubelets have a changed Secret, and services have read it. */
const settleMs = 3 * 60_000;
const atOnce = 8;
const deadlineMs = 60_000;

type Target = (Machine | InfrastructureDevice) & { login?: string };

/** Why this secret cannot be rotated; undefined: it can. */
export function rotationRefusal(secret: RackSecret, rack: Rack): string | undefined {
  const { name, kind, place, where } = secret;
  if (kind === 'adb-key' || kind === 'adb-public-key') {
    return 'each phone has to accept a new key by a tap on its screen, so it is replaced by hand, phone by phone';
  }
  if (kind !== 'ssh-key') {
    return `${kind}: skolo cannot change it at the other end; change it there, then use skolo secrets set and apply`;
  }
  if (!place.startsWith(`${rack.name}/`)) {
    return `${place} is shared, and other racks would be locked out`;
  }
  const others = where.filter((path) => !/^logins\..+\.privateKey$/.test(path));
  if (others.length > 0) return `is also ${others.join(', ')}, where skolo cannot replace it`;
  const locked = secret.logins.filter((login) => rack.logins.get(login)?.passphrase !== undefined);
  if (locked.length > 0)
    return `login ${locked.join(', ')} has a passphrase, and skolo makes keys without`;
  const foreign = targetsOf(secret, rack).filter(
    (target) => 'model' in target && target.model !== 'linux',
  );
  if (foreign.length === 0) return undefined;
  const names = foreign.map((each) =>
    'model' in each ? `${each.name} (${each.model})` : each.name,
  );
  return `${names.join(', ')}: skolo cannot change keys there; give them a login with a key of their own, or replace ${name} by hand`;
}

/** All that sign in with it. */
function targetsOf({ logins }: RackSecret, { machines, infrastructure }: Rack): Target[] {
  return [...machines.values(), ...infrastructure.values()].filter(
    ({ login }) => login !== undefined && logins.includes(login),
  );
}

/**
 * Does what can be done now. Call it again until `isDone`.
 *
 * @throws StoreError The secret cannot be rotated, or the store fails.
 */
export async function rotateSshKey(secret: RackSecret, deps: RotateDeps): Promise<RotateOutcome> {
  const { rack, store, signal, now, report } = deps;
  const refusal = rotationRefusal(secret, rack);
  if (refusal !== undefined) throw new StoreError('VALUE_REJECTED', `${secret.name}: ${refusal}`);
  const places = placesOf(secret, rack);
  const current = await store.read(secret.place, signal);
  if (current === undefined || publicKeyOf(current) === undefined) {
    throw new StoreError(
      'VALUE_REJECTED',
      `${secret.place}: the store has no ssh key without a passphrase; use skolo secrets set first`,
    );
  }
  let next = await store.read(places.next, signal);
  if (next === undefined) {
    next = (await generateValue('ssh-key', `${secret.place}@skolo`)).value;
    await store.write(places.next, next);
    report(`${secret.name}: new key made`);
  }
  if (next.reveal() !== current.reveal()) {
    const failed = await atEach(secret, deps, (target) => accept(target, current, next, deps));
    if (failed.length > 0) {
      return {
        isDone: false,
        failed,
        next: 'repair them, and run it again; the former key is in use',
      };
    }
    report(`${secret.name}: the new key opens ${count(secret, rack)}`);
    if ((await formerOf(places.former, deps))?.value.reveal() !== current.reveal()) {
      await store.write(`${places.former}/${timeName(now())}`, current);
    }
    await store.write(secret.place, next);
    report(`${secret.name}: the store has the new key`);
  }
  await deps.apply();
  return await retire(secret, next, deps);
}

/** Removes the former key, when everyone has the new one. */
async function retire(secret: RackSecret, next: Secret, deps: RotateDeps): Promise<RotateOutcome> {
  const { rack, store, now, report } = deps;
  const places = placesOf(secret, rack);
  const former = await formerOf(places.former, deps);
  if (former !== undefined) {
    if (!(await deps.isShared([secret.place, former.place]))) {
      return {
        ...{ isDone: false, failed: [] },
        next: 'commit and push the store, so that the new key is not on this desk alone, and run it again to remove the former key',
      };
    }
    const waitMs = former.at + settleMs - now();
    if (waitMs > 0) {
      return {
        ...{ isDone: false, failed: [] },
        next: `services take up the new key within minutes; run it again in ${Math.ceil(waitMs / 60_000)} min to remove the former key`,
      };
    }
    const failed = await atEach(secret, deps, (target) => forget(target, former.value, next, deps));
    if (failed.length > 0) {
      return { isDone: false, failed, next: 'repair them, and run it again; both keys are in use' };
    }
    report(`${secret.name}: the former key opens none of ${count(secret, rack)}`);
  }
  await store.remove(places.next);
  return { isDone: true, failed: [] };
}

function placesOf({ name }: RackSecret, rack: Rack): { next: string; former: string } {
  return { next: `${rack.name}/next/${name}`, former: `${rack.name}/former/${name}` };
}

function timeName(ms: number): string {
  return new Date(ms).toISOString().replaceAll(':', '-');
}

async function formerOf(
  folder: string,
  { store, signal }: RotateDeps,
): Promise<{ place: string; value: Secret; at: number } | undefined> {
  const place = (await store.list(folder)).at(-1);
  const value = place === undefined ? undefined : await store.read(place, signal);
  if (place === undefined || value === undefined) return undefined;
  const written = place.slice(folder.length + 1);
  const at = Date.parse(written.replace(/T(\d\d)-(\d\d)-/, 'T$1:$2:'));
  return { place, value, at };
}

/** Names that failed. */
async function atEach(
  secret: RackSecret,
  { rack, signal }: RotateDeps,
  work: (target: Target) => Promise<void>,
): Promise<RotateOutcome['failed']> {
  const results = await inParallel(targetsOf(secret, rack), atOnce, async (target) => {
    try {
      await work(target);
      return [];
    } catch (error) {
      signal.throwIfAborted();
      return [{ name: target.name, why: errorText(error) }];
    }
  });
  return results.flat();
}

function count(secret: RackSecret, rack: Rack): string {
  const { length } = targetsOf(secret, rack);
  return `${length} machine${length === 1 ? '' : 's'} and device${length === 1 ? '' : 's'}`;
}

/** Adds the new key, and proves it by a new session. */
async function accept(
  target: Target,
  current: Secret,
  next: Secret,
  deps: RotateDeps,
): Promise<void> {
  if (await opens(target, next, deps)) return;
  const key = publicKeyOf(next) ?? '';
  await withSession(target, current, deps, (session, signal) =>
    addKey(session, target.name, key, `${deps.rack.name}@skolo`, signal),
  );
  await withSession(target, next, deps, async () => undefined);
}

/** Removes the former key in a session that the new one has opened. Puts it back if the new one opens no other. */
async function forget(
  target: Target,
  former: Secret,
  next: Secret,
  deps: RotateDeps,
): Promise<void> {
  const [key = '', kept = ''] = [publicKeyOf(former), publicKeyOf(next)];
  await withSession(target, next, deps, async (session, signal) => {
    await removeKey(session, target.name, { key, kept }, signal);
    try {
      await withSession(target, next, deps, async () => undefined);
    } catch (error) {
      await addKey(session, target.name, key, 'put-back@skolo', signal);
      throw error;
    }
  });
  if (await opens(target, former, deps)) {
    throw new Error(
      `${target.name}: still accepts the former key, which is not in ~/.ssh/authorized_keys of its user`,
    );
  }
}

/** Whether a key opens a session. @throws DeviceError It cannot be reached. */
async function opens(target: Target, key: Secret, deps: RotateDeps): Promise<boolean> {
  try {
    await withSession(target, key, deps, async () => undefined);
    return true;
  } catch (error) {
    if (error instanceof SignInRefused) return false;
    throw error;
  }
}

async function withSession(
  target: Target,
  key: Secret,
  { rack, dial, hostKeys, signal }: RotateDeps,
  work: (session: ExecSession, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  const login = rack.logins.get(target.login ?? '');
  const credentials = async (): Promise<Credentials> => ({
    legacySsh: login?.legacySsh ?? false,
    ...(login?.username !== undefined && { username: login.username }),
    // Alone: a password would hide that the key is rejected.
    privateKey: new Secret(key.reveal()),
  });
  const place = { ...target, address: target.address ?? target.name };
  const session = await openExec(
    await targetOf(place, { credentials }, 'ssh'),
    { dial, hostKeys },
    stop,
  );
  try {
    await work(session, stop);
  } finally {
    await session.close();
  }
}
