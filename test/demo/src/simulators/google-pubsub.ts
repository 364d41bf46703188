/** Google Pub/Sub. Its messages are in memory, and gone with the demo, as are its topics: the service makes its own again. */
import { startGooglePubSub } from '@skolo/simulators';
import { choosePort } from '../addresses/ports.ts';
import type { Simulator, SimulatorNeeds } from './simulator.ts';

/** As Google's own emulator. */
const usualPort = 8085;
const endpoint = ['services', 'alert-to-pubsub', 'endpoint'] as const;

export async function startPubSub({ host }: SimulatorNeeds): Promise<Simulator> {
  // What was published is not read: it would only grow.
  const start = (port: number) => startGooglePubSub({ host, port, keep: false });
  // Another process may take the port between the check and the start.
  const pubsub = await start(await choosePort([usualPort], host)).catch(() => start(0));
  return {
    name: 'Google Pub/Sub',
    url: pubsub.endpoint,
    place(rack) {
      if (isOurs(rack.get(endpoint), host)) rack.set(endpoint, pubsub.endpoint);
    },
    follow: async () => undefined,
    close: () => pubsub.close(),
  };
}

/** A real one in the file is left alone; so is a file without a setting, which means the real one. */
function isOurs(found: unknown, host: string): boolean {
  return (
    typeof found === 'string' && (found.startsWith(`${host}:`) || /^127\.0\.0\.1:\d+$/.test(found))
  );
}
