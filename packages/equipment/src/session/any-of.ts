/** Devices that do not have the newest password or key yet, or have a previous one again: a configuration was restored. */
import type { Credentials } from '@skolo/secrets';
import { SignInRejected } from '../errors.ts';

/**
 * Works with a login, and where the device rejects it with its other values, in turn.
 *
 * @param work may be called again; with each, `secretsOf` gives the secrets of all
 * @throws What `work` throws, of a rejected login the first
 */
export async function withAnyOf<T>(
  { others = [], ...first }: Credentials,
  work: (credentials: Credentials) => Promise<T>,
): Promise<T> {
  const all: readonly Credentials[] = [first, ...others];
  let rejected: SignInRejected | undefined;
  for (const credentials of all) {
    try {
      return await work(all.length === 1 ? credentials : { ...credentials, others: all });
    } catch (error) {
      if (!(error instanceof SignInRejected)) throw error;
      rejected ??= error;
    }
  }
  throw rejected;
}
