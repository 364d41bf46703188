import { peer } from '../peer.ts';
import { Process } from '../process.ts';

export interface Pstest {
  /** `127.0.0.1:PORT`: PUBSUB_EMULATOR_HOST. Its JSON API is there, too. */
  endpoint: string;
  close(): Promise<void>;
}

/** Google's own in-memory Pub/Sub (test/pubsub), empty; undefined where it is not built. */
export async function startPstest(): Promise<Pstest | undefined> {
  const path = peer('pstest');
  if (path === undefined) return undefined;
  const program = new Process(path, []);
  const endpointOf = () => /listening on (?<endpoint>\S+)\n/.exec(program.output)?.groups?.endpoint;
  await program.until('the start', async () => endpointOf() !== undefined);
  return { endpoint: endpointOf() ?? '', close: () => program.leave() };
}
