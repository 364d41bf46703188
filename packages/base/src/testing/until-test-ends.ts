import { onTestFinished } from 'vitest';

/** Closes the part when the test ends. */
export function untilTestEnds<Part extends { close(): unknown }>(part: Part): Part {
  onTestFinished(async () => void (await part.close()));
  return part;
}
