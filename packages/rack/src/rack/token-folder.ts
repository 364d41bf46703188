import { resolve } from 'node:path';
import { sha256 } from '@skolo/base';

/**
 * The directory in which the metadata server keeps tokens for its next process unless rack.yaml has a `tokenFolder`: in shared memory,
 * for each state directory, so that two servers on one computer do not interfere.
 */
export function defaultTokenFolder(stateDir: string): string {
  return `/dev/shm/skolo-metadata-${sha256(resolve(stateDir)).slice(0, 12)}`;
}
