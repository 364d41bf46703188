import { BackupError } from '@skolo/models/configuration';

/**
 * A place outside of the rack that keeps objects: a bucket of Google Cloud Storage, a directory.
 *
 * Names are `YYYY-MM-DD-HOST-SHA1.gz`, the day that it was read (UTC), the device, the SHA-1 of the content as the device gave
 * it; `.age` behind it where it is encrypted. Older software, and people, find them by that.
 */
export interface OffsitePlace {
  /** For people, without secrets: `gs://my-backups/rack4`. */
  readonly url: string;
  /**
   * Stores a file and reads back size and checksum. An object of the same name and content is left as it is.
   *
   * @param about kept beside the object where the place can
   * @throws BackupError
   */
  put(name: string, file: string, about: ObjectAbout, signal: AbortSignal): Promise<void>;
  /** All of them, sorted by name. @throws BackupError */
  list(signal: AbortSignal): Promise<StoredObject[]>;
  /** @throws BackupError */
  get(name: string, signal: AbortSignal): Promise<Buffer>;
  /** One that is not there is no error. @throws BackupError */
  remove(name: string, signal: AbortSignal): Promise<void>;
}

export interface ObjectAbout {
  device: string;
  /** RFC 3339, when it was read. */
  time: string;
  model?: string | undefined;
}

export interface StoredObject {
  name: string;
  size: number;
  /** RFC 3339: when it was read where the place knows, else when it was stored. */
  time: string;
  model?: string | undefined;
}

/**
 * The place whose methods throw BackupErrors only, or the reason of an aborted signal.
 *
 * @param asBackupError what any other error of this kind of place means
 */
export function withBackupErrors(
  place: OffsitePlace,
  asBackupError: (url: string, error: unknown) => BackupError,
): OffsitePlace {
  const { url } = place;
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
    put: (name, file, about, signal) => explained(signal, place.put(name, file, about, signal)),
    list: (signal) => explained(signal, place.list(signal)),
    get: (name, signal) => explained(signal, place.get(name, signal)),
    remove: (name, signal) => explained(signal, place.remove(name, signal)),
  };
}
