import { BackupError } from '@skolo/equipment/models/configuration';

/**
 * An off-site location that stores objects: a Google Cloud Storage bucket, a directory.
 *
 * Names are `YYYY-MM-DD-HOST-DIGEST.gz`: the day when it was read (UTC), the device, and a digest, with the suffix `.age` if encrypted.
 * Older software and people rely on this format.
 */
export interface OffsitePlace {
  /** For people, without secrets: `gs://my-backups/rack4`. */
  readonly url: string;
  /**
   * Stores a file, and verifies its size and checksum. An existing object with the same name and content is left unchanged.
   *
   * @param about stored with the object if the location supports it
   * @throws BackupError
   */
  put(name: string, file: string, about: ObjectAbout, signal: AbortSignal): Promise<void>;
  /** All objects, sorted by name. @throws BackupError */
  list(signal: AbortSignal): Promise<StoredObject[]>;
  /** Streams an object's content. @throws BackupError */
  read(name: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** A missing object is not an error. @throws BackupError */
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
  /** RFC 3339: when it was read, if the location stores that, otherwise when it was stored. */
  time: string;
  model?: string | undefined;
}

/**
 * Wraps a location so that its methods only throw BackupErrors, or the reason of an aborted signal.
 *
 * @param asBackupError translates any other error of this kind of location
 */
export function withBackupErrors(
  place: OffsitePlace,
  asBackupError: (url: string, error: unknown) => BackupError,
): OffsitePlace {
  const { url } = place;
  function explanationOf(signal: AbortSignal, error: unknown): BackupError {
    if (error instanceof BackupError) return error;
    signal.throwIfAborted();
    return asBackupError(url, error);
  }
  async function explained<T>(signal: AbortSignal, work: PromiseLike<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw explanationOf(signal, error);
    }
  }
  return {
    url,
    put: (name, file, about, signal) => explained(signal, place.put(name, file, about, signal)),
    list: (signal) => explained(signal, place.list(signal)),
    async *read(name, signal) {
      try {
        yield* place.read(name, signal);
      } catch (error) {
        throw explanationOf(signal, error);
      }
    },
    remove: (name, signal) => explained(signal, place.remove(name, signal)),
  };
}
