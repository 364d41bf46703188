/** Starts the agent. */
import './small-memory.ts';

// Only now, so that everything is loaded with the settings of small-memory.ts.
const { runAgent } = await import('./service.ts');
await runAgent();
