import './small-memory.ts';

// Only now, so that all of it is loaded as small-memory.ts says.
const { runAgent } = await import('./run-agent.ts');
await runAgent();
