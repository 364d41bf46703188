import '@skolo/common/small-heap';

// Only now, so that all of it is loaded with that heap.
await import('./run.ts');
