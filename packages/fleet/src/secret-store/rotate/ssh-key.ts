/**
 * Replaces an SSH key that machines and devices accept, so that the store's key is accepted at all times: they
 * accept both until the rack has the new one.
 *
 * Its state is in the store ({@link placesOf}), and every step may be done twice.
 */

import { type Credentials, Secret, valuesIn } from '@skolo/base/secrets';
import type { AccountSession } from '@skolo/equipment/models/accounts';
import { publicKeyOf, SignInRejected } from '@skolo/equipment/transports';
import type { Rack } from '@skolo/rack';
import type { RackSecret } from '@skolo/rack/secrets';
import { ValueRejected } from '../errors.ts';
import { generateValue } from '../values/generate.ts';
import {
  again,
  atEach,
  inSession,
  isSame,
  leftOutOf,
  nextValue,
  opensText,
  placesOf,
  previousOf,
  type RotateDeps,
  type RotateOutcome,
  repair,
  replaceInStore,
  type Target,
  targetsNow,
  untilServicesHave,
} from './rotation.ts';

/** Runs all steps that are possible now. Call it again until `isDone`. @throws StoreError */
export async function rotateSshKey(secret: RackSecret, deps: RotateDeps): Promise<RotateOutcome> {
  const { store, signal, report } = deps;
  const stored = await store.read(secret.place, signal);
  const [current, ...others] = stored === undefined ? [] : valuesIn(stored);
  if (current === undefined || publicKeyOf(current) === undefined) {
    throw new ValueRejected(
      `${secret.place}: the store must contain an SSH key without a passphrase; save one with skolo secrets set first`,
    );
  }
  const made = await nextValue(
    secret,
    current,
    deps,
    () => generateValue('ssh-key', `${secret.place}@skolo`),
    async (target, leftOut) => {
      const previous = leftOut.get(target.name) ?? current;
      await accept(target, [previous], current, deps);
      if (!isSame(previous, current)) await forget(target, previous, current, deps);
    },
  );
  if ('behind' in made) return made.behind;
  const { next } = made;
  if (!isSame(next, current)) {
    const targets = targetsNow(secret, deps);
    const failed = await atEach(targets, [], deps, (target) =>
      accept(target, [current, ...others], next, deps),
    );
    if (failed.length > 0) {
      return again(`${repair}; the previous key is still in use`, failed);
    }
    report(`${secret.name}: ${opensText('key', targets)}`);
    await replaceInStore(secret, { current, next }, deps);
    report(`${secret.name}: the store contains the new key`);
  }
  await deps.apply();
  return await retire(secret, next, deps);
}

/** Removes the previous key when all services have the new one. */
async function retire(secret: RackSecret, next: Secret, deps: RotateDeps): Promise<RotateOutcome> {
  const { rack, store, report } = deps;
  const places = placesOf(secret, rack);
  const previous = await previousOf(places.previous, deps);
  if (previous !== undefined) {
    const since = {
      place: previous.place,
      changedAt: previous.at,
      to: ' to remove the previous key',
    };
    const waiting = await untilServicesHave(secret, since, deps);
    if (waiting !== undefined) return again(waiting);
    const leftOut = await leftOutOf(secret, deps);
    const targets = targetsNow(secret, deps).filter(({ name }) => !leftOut.has(name));
    const failed = await atEach(targets, [], deps, (target) =>
      forget(target, previous.value, next, deps),
    );
    if (failed.length > 0) {
      return again('repair them and run the command again; both keys are still in use', failed);
    }
    const isSkipped = leftOut.size > 0 || deps.leaveOut.length > 0;
    const where = isSkipped ? 'works only on skipped machines and equipment' : 'no longer works';
    report(`${secret.name}: the previous key ${where}`);
  }
  await store.remove(places.next);
  return { isDone: true, failed: [] };
}

/** Adds the new key, verifies it with a new session, and saves it on the target. */
async function accept(
  target: Target,
  current: readonly Secret[],
  next: Secret,
  deps: RotateDeps,
): Promise<void> {
  await withKeys(target, [...current, next], deps, async ({ addKey }) => {
    await addKey?.(publicKeyOf(next) ?? '', `${deps.rack.name}@skolo`);
  });
  await withKeys(target, [next], deps, (session) => session.save());
}

/** Removes the previous key in a session opened with the new one. Restores it if the new one cannot open another session. */
async function forget(
  target: Target,
  previous: Secret,
  next: Secret,
  deps: RotateDeps,
): Promise<void> {
  const [key = '', kept = ''] = [publicKeyOf(previous), publicKeyOf(next)];
  await withKeys(target, [next], deps, async (session) => {
    await session.removeKey?.({ key, kept });
    try {
      await withKeys(target, [next], deps, (proven) => proven.save());
    } catch (error) {
      await session.addKey?.(key, 'put-back@skolo');
      throw error;
    }
  });
  if (await opens(target, previous, deps)) {
    throw new Error(
      `${target.name}: the previous key still works, because it is stored in a place that skolo cannot change`,
    );
  }
}

/** Whether a key can open a session. @throws DeviceError It cannot be reached. */
async function opens(target: Target, key: Secret, deps: RotateDeps): Promise<boolean> {
  try {
    await withKeys(target, [key], deps, async () => undefined);
    return true;
  } catch (error) {
    if (error instanceof SignInRejected) return false;
    throw error;
  }
}

async function withKeys(
  target: Target,
  keys: readonly Secret[],
  deps: RotateDeps,
  work: (session: AccountSession) => Promise<void>,
): Promise<void> {
  // Only the key, because a password would hide that it is rejected.
  const all = keys.map((key) => keyOnly(target, key, deps.rack));
  const [first = { legacySsh: false }, ...others] = all;
  await inSession(target, { ...first, others }, deps, work);
}

function keyOnly({ login: name }: Target, key: Secret, rack: Rack): Credentials {
  const login = rack.logins.get(name ?? '');
  return {
    legacySsh: login?.legacySsh ?? false,
    ...(login?.username !== undefined && { username: login.username }),
    privateKey: new Secret(key.reveal()),
  };
}
