import './small-memory.ts';

// Only now, so that all of it is loaded with the settings of small-memory.ts.
const { runAgent } = await import('./service.ts');
await runAgent();
