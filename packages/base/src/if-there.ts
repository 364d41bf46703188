import { errorCode } from './error-text.ts';

/** Treats a missing file or directory as no result instead of an error. @throws All other errors. */
export async function ifThere<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
