import { errorCode } from './error-text.ts';

/** The result; undefined for a file or directory that does not exist. @throws All other errors. */
export async function ifThere<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
