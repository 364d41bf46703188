/** What goes wrong at a place, as errors for people. */
import { BackupError } from '@skolo/models/configuration';
import type { OffsitePlace } from './place.ts';

/**
 * The place whose methods throw BackupErrors only, or the reason of an aborted signal.
 *
 * @param asBackupError what any other error of this kind of place means
 */
export function withBackupErrors(
  place: OffsitePlace,
  asBackupError: (url: string, error: unknown) => BackupError,
): OffsitePlace {
  const { url, put, list, get, remove } = place;
  async function explained<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (error instanceof BackupError) throw error;
      signal.throwIfAborted();
      throw asBackupError(url, error);
    }
  }
  return {
    url,
    put: (name, file, about, signal) => explained(signal, put(name, file, about, signal)),
    list: (signal) => explained(signal, list(signal)),
    get: (name, signal) => explained(signal, get(name, signal)),
    remove: (name, signal) => explained(signal, remove(name, signal)),
  };
}
