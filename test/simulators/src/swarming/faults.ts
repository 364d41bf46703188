/** The ways in which the server misbehaves on demand. */
import type { ServerResponse } from 'node:http';
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

interface SwarmingFaultOptions {
  /** All when absent. */
  at?: readonly Endpoint[];
  /** How many requests it hits. */
  times: number;
}

const ofZip: readonly SwarmingFault[] = swarmingFaults.slice(swarmingFaults.indexOf('half-body'));

interface Wanted {
  kind: SwarmingFault;
  at: readonly Endpoint[] | undefined;
  left: number;
}

/** What is asked for now; the oldest that fits a request hits it. */
export class SwarmingFaults {
  private wanted: Wanted[] = [];

  set(kind: SwarmingFault, { times, at = placesOf(kind) }: SwarmingFaultOptions): void {
    this.wanted.push({ kind, at, left: times });
  }

  clear(): void {
    this.wanted = [];
  }

  /** @internal */
  take(endpoint: Endpoint): SwarmingFault | undefined {
    const found = this.wanted.find(
      ({ at, left }) => left > 0 && (at === undefined || at.includes(endpoint)),
    );
    if (found) found.left -= 1;
    return found?.kind;
  }
}

function placesOf(kind: SwarmingFault): Endpoint[] | undefined {
  if (kind === 'no-redirect') return ['bot_code'];
  return ofZip.includes(kind) ? ['zip'] : undefined;
}

/** False: it is none that needs no answer of the server's. */
export function playInstead(kind: SwarmingFault, response: ServerResponse): boolean {
  if (kind === 'reset') response.socket?.resetAndDestroy();
  if (kind === 'rejected') {
    response.writeHead(403, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(`simulated ${kind}\n`);
  }
  return ['rejected', 'reset', 'hang'].includes(kind);
}
