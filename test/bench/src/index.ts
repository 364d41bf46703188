export { type Bench, type Line, type Measurement, NotRun } from './bench.ts';
export { findProgram, pinned, twoCores } from './cores.ts';
export { writtenBytes } from './disk.ts';
export { peakMemory, proportionalMemory, residentMemory } from './memory.ts';
export { inRounds } from './rounds.ts';
export { runBenches } from './run-benches.ts';
export { type ServerProcess, startServer } from './server.ts';
export { median, percentile } from './statistics.ts';
export { type WrkOptions, type WrkResult, wrk } from './wrk.ts';
