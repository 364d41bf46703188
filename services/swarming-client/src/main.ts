import './small-memory.ts';

// Only now, so that all of it is loaded with the settings of small-memory.ts.
const { runAgent } = await import('./run-agent.ts');
await runAgent();
