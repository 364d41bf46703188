/**
 * Decides which passwords are tried, for equipment that does not have the newest one yet, or has a previous one again because a
 * configuration was restored.
 */
import type { Credentials } from '@skolo/base/secrets';
import { SignInRejected } from '../errors.ts';

/**
 * Calls `work` with a login, and if the device rejects it, with its other values in turn.
 *
 * @param work may be called again; each time, `secretsOf` returns the secrets of all
 * @throws The error of `work`; for a rejected login, the first one
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
