import { join } from 'node:path';

/** The sources of this program. */
export const repository = join(import.meta.dirname, '../../..');

/** What a process that measures one side needs to know, from its environment, and has found. */
export const comparison = {
  /** Where services are bundled from. */
  sources: process.env.SKOLO_BENCH_SOURCES ?? repository,
  /** Whether only the service is measured, and not its peers. */
  isAlone: process.env.SKOLO_BENCH_SOURCES !== undefined,
  /** Of the services that have stopped, from their start on. */
  processorSeconds: 0,
};
