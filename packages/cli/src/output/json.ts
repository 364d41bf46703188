import type { Io } from '../io.ts';

/** For programs: all that is known, also what the table leaves out. */
export function printJson({ out }: Io, value: unknown): void {
  out(JSON.stringify(value, undefined, 2));
}
