import type { PowerCycle, powerCycleDaemonApi } from './power-cycle-daemon.ts';
import type { Client } from './route/calls.ts';

const most = 1000;

/**
 * Queued and running cycles, without duplicates. Running ones are requested last: otherwise, a cycle that starts between the two requests
 * would be in neither response.
 *
 * @throws ApiError @throws ApiUnreachable
 */
export async function cyclesUnderWay(
  client: Pick<Client<typeof powerCycleDaemonApi>, 'cycles'>,
): Promise<PowerCycle[]> {
  const { cycles: queued } = await client.cycles({ query: { state: 'queued', limit: most } });
  const { cycles: running } = await client.cycles({ query: { state: 'running', limit: most } });
  return [...new Map([...queued, ...running].map((cycle) => [cycle.id, cycle])).values()];
}
