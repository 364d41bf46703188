/** The ways in which the server misbehaves on demand. */
import type { Endpoint } from './calls.ts';

const swarmingFaults = [
  'rejected',
  'slow',
  'hang',
  'reset',
  'no-redirect',
  'half-body',
  'corrupt-zip',
  'wrong-server',
] as const;
/**
 * At every endpoint, or at those that are named:
 * - `rejected`: 403; `slow`: answers late; `hang`: never answers; `reset`: the connection dies before an answer
 *
 * Where the bot is downloaded:
 * - `no-redirect`: `/bot_code` gives the zip at once
 * - `half-body`: the connection dies in the middle of the zip
 * - `corrupt-zip`: bytes in the middle are others than they should be; `wrong-server`: a sound zip of another server
 */
export type SwarmingFault = (typeof swarmingFaults)[number];

const ofZip: readonly SwarmingFault[] = swarmingFaults.slice(swarmingFaults.indexOf('half-body'));

/** Where it strikes when a test does not say where. */
export function placesOf(kind: SwarmingFault): { at?: Endpoint[] } {
  if (kind === 'no-redirect') return { at: ['bot_code'] };
  return ofZip.includes(kind) ? { at: ['zip'] } : {};
}
