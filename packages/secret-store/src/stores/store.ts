/** A store of values, by place: `rack4/switch`, `etc/k3s-node-token`. */
import type { Secret } from '@skolo/secrets';

/** What is known of a value without reading it. */
interface StoredFacts {
  /** Milliseconds since 1970; undefined where the store does not know. */
  changedAt?: number;
  /** Who can open it, where that is in the file. */
  recipients?: string[];
}

export interface SecretStore {
  /** For people: the folder, the command. */
  readonly title: string;
  /** Undefined: the store has no such value. */
  find(place: string): Promise<StoredFacts | undefined>;
  /**
   * Undefined: the store has no such value.
   *
   * @throws StoreError
   */
  read(place: string, signal: AbortSignal): Promise<Secret | undefined>;
  /**
   * Adds or replaces a value. It is on the disk when this resolves.
   *
   * @throws StoreError
   */
  write(place: string, value: Secret): Promise<void>;
  /** Removes a value, if there is one. @throws StoreError */
  remove(place: string): Promise<void>;
  /** The file of a value that belongs into git, whether it exists or not. Absent for other stores. */
  file?(place: string): string;
  /** Places below a folder such as `rack4`, sorted. A command knows none. */
  list(folder: string): Promise<string[]>;
}
