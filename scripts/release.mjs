/** `npm run release [-- VERSION]` makes a release (release/make.mjs); `npm run release -- publish` publishes it (publish/publish.mjs). */
import { root } from './node.mjs';

const [command, ...args] = process.argv.slice(2);
if (command === 'publish') {
  const { publish } = await import('./publish/publish.mjs');
  process.exitCode = await publish(root, args);
} else {
  await import('./release/make.mjs');
}
