import { ConnectionLimits } from '../connections/connection-limits.ts';

/** For a server of a test. */
export function noLimits(): ConnectionLimits {
  return new ConnectionLimits({ ownerOf: () => ({ kind: 'others', most: 10_000 }) });
}
