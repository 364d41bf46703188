/** Ignores parts of an answer that a reading does not require, so that they cannot prevent it. */
import { DeviceRejected } from '@skolo/equipment/transports';
import { z } from 'zod';

/** The value, or undefined if it is missing or has another form. */
export function unneeded<T extends z.ZodType>(schema: T) {
  return schema.optional().catch(undefined);
}

/** The elements of this form; `undefined` in the place of others, and none if it is not a list. */
export function unneededList<T extends z.ZodType>(schema: T) {
  return z.array(unneeded(schema)).catch([]);
}

/**
 * The result, or undefined if the device rejects the request, which not every login may send, or answers with something else.
 *
 * @throws DeviceError of other kinds
 */
export async function ifSupported<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof DeviceRejected) return undefined;
    throw error;
  }
}
