/**
 * How much garbage V8 leaves in memory. By default the heap grows to several times of what is in use before it is collected:
 * 280 MiB were resident while a backlog came in and drained. Collected early it stays near 160 MiB. It costs speed:
 * MEASUREMENTS.md has the figures.
 *
 * Flags of V8 that it reads before each collection, so that they can be set while the program runs.
 */
import { setFlagsFromString } from 'node:v8';

/**
 * The young generation stays as large as it is now, and the old one grows by little before it is collected. Called once all is
 * loaded: called before, it left a young generation so small that each alert took twice the processor time.
 */
export function spareMemory(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=20');
}
