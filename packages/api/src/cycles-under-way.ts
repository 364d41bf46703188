import type { PowerCycle, powerCycleDaemonApi } from './power-cycle-daemon.ts';
import type { Client } from './route/client.ts';

const most = 1000;

/**
 * Cycles that are queued or running, each once. Running ones are asked for last: one that moves on between the two questions would
 * be in neither answer otherwise.
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
