/** A store of values, by place: `rack4/switch`, `etc/k3s-node-token`. */
import type { Secret } from '@skolo/base/secrets';

/** Facts about a value without reading it. */
interface StoredFacts {
  /** Milliseconds since 1970; undefined if the store does not record it. */
  changedAt?: number;
  /** Who can decrypt it, if the file contains that. */
  recipients?: string[];
}

export interface SecretStore {
  /** As text: the directory or command. */
  readonly title: string;
  /** Undefined: the store does not contain the value. */
  find(place: string): Promise<StoredFacts | undefined>;
  /**
   * Undefined: the store does not contain the value.
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
  /** The file of a value that belongs in git, whether it exists or not. Absent for other stores. */
  file?(place: string): string;
}
