/** `@skolo/fleet/secret-store/rotate`: replaces secrets at both ends. */
import type { RackSecret } from '@skolo/rack/secrets';
import { ValueRejected } from '../errors.ts';
import { rotatePassword } from './password.ts';
import { rotationRejection } from './rejection.ts';
import { type RotateDeps, type RotateOutcome, targetsOf } from './rotation.ts';
import { rotateSshKey } from './ssh-key.ts';

export { rotationRejection } from './rejection.ts';
export type { RotateDeps, RotateOutcome } from './rotation.ts';

/**
 * Runs all steps that are possible now. Call it again until `isDone`.
 *
 * @throws StoreError The secret cannot be rotated, or the store fails.
 */
export async function rotateSecret(secret: RackSecret, deps: RotateDeps): Promise<RotateOutcome> {
  const rejection = await rotationRejection(secret, deps.rack);
  if (rejection !== undefined) throw new ValueRejected(`${secret.name}: ${rejection}`);
  const names = targetsOf(secret, deps.rack).map(({ name }) => name);
  const unknown = deps.leaveOut.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new ValueRejected(
      `${unknown}: no machine or equipment with this name uses ${secret.name}; it is used by ${names.join(', ')}`,
    );
  }
  return await (secret.kind === 'ssh-key' ? rotateSshKey : rotatePassword)(secret, deps);
}
