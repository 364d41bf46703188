/** Names of devices on the command line. */
import { usageError } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { findNamed } from '../../names.ts';

/** The named devices, by default all. Prints unknown names and sets the exit code. */
export function findEquipment<T extends { name: string }>(
  io: Io,
  names: readonly string[],
  all: readonly T[],
): T[] {
  return findNamed(
    io,
    names,
    all,
    'no such equipment',
    'run skolo backup status to list equipment',
  );
}

/** The name of one device; rejects ranges. */
export function oneName(word: string): string {
  if (!/[\s,[\]]/.test(word) && word !== '') return word;
  throw usageError(`${word}: specify a single name`);
}
