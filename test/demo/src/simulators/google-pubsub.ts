/** Google Pub/Sub. Its messages and topics are in memory, and end with the demo: the service creates its topics again. */
import { startGooglePubSub } from '@skolo/simulators';
import { choosePort } from '../addresses/ports.ts';
import type { Simulator, SimulatorNeeds } from './simulator.ts';

/** Like Google's own emulator. */
const usualPort = 8085;
const endpoint = ['services', 'alert-to-pubsub', 'endpoint'] as const;

export async function startPubSub({ host }: SimulatorNeeds): Promise<Simulator> {
  // Published messages are not read: they would only accumulate.
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

/** A real one in the file is left unchanged; so is a file without a setting, which means the real one. */
function isOurs(found: unknown, host: string): boolean {
  return (
    typeof found === 'string' && (found.startsWith(`${host}:`) || /^127\.0\.0\.1:\d+$/.test(found))
  );
}
