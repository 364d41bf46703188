/**
 * Replaces a password, or an SNMP community or key, on all devices of its logins. A device accepts only one, so at no time are both values
 * correct. Services therefore receive both before the first device changes, and use the one that a device accepts.
 *
 * Its state is in the store ({@link placesOf}), and every step may be done twice.
 */

import { type Credentials, type Secret, valuesIn } from '@skolo/base/secrets';
import { DeviceTimeout, SignInRejected } from '@skolo/equipment/transports';
import type { RackSecret } from '@skolo/rack/secrets';
import { ValueRejected } from '../errors.ts';
import { generateValue } from '../values/generate.ts';
import {
  again,
  atEach,
  credentialsWith,
  inSession,
  isAccountPart,
  isSnmpPart,
  joined,
  nextValue,
  nounOf,
  opensText,
  partsOf,
  placesOf,
  proveSnmp,
  type RotateDeps,
  type RotateOutcome,
  repair,
  replaceInStore,
  type Target,
  targetsNow,
  untilServicesHave,
} from './rotation.ts';

/** Runs all steps that are possible now. Call it again until `isDone`. @throws StoreError */
export async function rotatePassword(secret: RackSecret, deps: RotateDeps): Promise<RotateOutcome> {
  const { rack, store, signal, report } = deps;
  const places = placesOf(secret, rack);
  const stored = await store.read(secret.place, signal);
  if (stored === undefined) {
    throw new ValueRejected(
      `${secret.place}: the store does not contain a value; use skolo secrets set first`,
    );
  }
  const [current = stored, ...others] = valuesIn(stored);
  const made = await nextValue(
    secret,
    current,
    deps,
    () => generateValue(generatedKind(secret), ''),
    async (target, leftOut) => {
      const known = [...leftOut.values()].reverse();
      await change(target, secret, { next: current, known: [...known, current] }, deps);
    },
  );
  if ('behind' in made) return made.behind;
  const { next } = made;
  if (next.reveal() !== current.reveal()) {
    if (!others.some((value) => value.reveal() === next.reveal())) {
      await store.write(secret.place, joined([current, next, ...others]));
    }
    const written = await deps.apply();
    const changedAt = written > 0 ? undefined : (await store.find(places.next))?.changedAt;
    const since = { place: places.next, changedAt: changedAt ?? deps.now(), to: '' };
    const waiting = await untilServicesHave(secret, since, deps);
    if (waiting !== undefined) return again(waiting);
    const targets = targetsNow(secret, deps);
    const known = [current, next, ...others];
    const failed = await atEach(targets, known, deps, (target) =>
      change(target, secret, { next, known }, deps),
    );
    if (failed.length > 0) {
      return again(`${repair}; services try both the previous and the new value`, failed);
    }
    const saved = targets.length > 0 ? ' and is saved there' : '';
    report(`${secret.name}: ${opensText(nounOf(secret), targets)}${saved}`);
    await replaceInStore(secret, { current, next }, deps);
  }
  await deps.apply();
  await store.remove(places.next);
  return { isDone: true, failed: [] };
}

/** Sets the new value on one device, verifies it with a new session, and saves it on the device. */
async function change(
  target: Target,
  secret: RackSecret,
  { next, known }: { next: Secret; known: readonly Secret[] },
  deps: RotateDeps,
): Promise<void> {
  const [current = next] = known;
  const all = await credentialsWith(target, secret, known, deps);
  const onlyNext = await credentialsWith(target, secret, [next], deps);
  const isSnmp = partsOf(secret, target.login).some(isSnmpPart);
  const values = (value: Secret) =>
    Object.fromEntries(
      partsOf(secret, target.login)
        .filter(isAccountPart)
        .map((part) => [part, value]),
    );
  await inSession(target, all, deps, async (session) => {
    try {
      await session.set(values(next));
      if (isSnmp) {
        await proveSnmp(target, onlyNext, deps);
        await session.save();
      } else {
        await inSession(target, passwordOnly(onlyNext), deps, (proven) => proven.save());
      }
    } catch (error) {
      const isBack = await session.set(values(current)).then(
        () => true,
        () => false,
      );
      // Devices do not respond to a wrong community.
      const isSilent = isSnmp && error instanceof DeviceTimeout;
      if (!(isSilent || error instanceof SignInRejected)) throw error;
      const state = isBack
        ? 'the previous one is set again'
        : 'a restart restores the previous one';
      const why = error.message.replace(`${target.name}: `, '');
      throw new Error(`${target.name}: the new ${nounOf(secret)} does not work: ${why}; ${state}`, {
        cause: error,
      });
    }
  });
}

function generatedKind({ kind }: RackSecret): 'password' | 'snmp-community' | 'snmp-key' {
  return kind === 'snmp-community' || kind === 'snmp-key' ? kind : 'password';
}

/** Without the key, which would hide that the password is rejected. */
function passwordOnly({ privateKey: _, others = [], ...credentials }: Credentials): Credentials {
  return others.length === 0 ? credentials : { ...credentials, others: others.map(passwordOnly) };
}
