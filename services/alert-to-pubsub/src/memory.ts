/**
 * How much garbage V8 lets lie about. By default the heap grows to several times of what is in use before it is
 * collected: quick, and right for what comes in. A backlog makes garbage for minutes, and nobody waits for it: 290 MB of
 * RAM were seen. Then it is collected early, which takes a third more of the processor.
 *
 * Flags of V8 that it looks at before each collection, so that they can be changed while it runs.
 */
import { setFlagsFromString } from 'node:v8';

/** The young generation is as large as it became while the program was loaded, and stays so. */
export function keepYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** @param isScarce the heap may grow by so little before it is collected; otherwise as V8 thinks fit */
export function spareMemory(isScarce: boolean): void {
  setFlagsFromString(`--heap-growing-percent=${isScarce ? 20 : 0}`);
}
