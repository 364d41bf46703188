/** The simulator as a process of its own, for benches. It keeps no message, and prints `{"port"}` once it listens. */
import { startGooglePubSub } from './server.ts';

const { port } = await startGooglePubSub({ keep: false });
process.stdout.write(`${JSON.stringify({ port })}\n`);
