import { errorText } from '@skolo/base';

/** A failure on a cluster of Pis. The message says what to do. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError';
}

/** Why, without the name that a line about this computer has already. */
export function reasonOf(name: string, error: unknown): string {
  let text = errorText(error);
  while (text.startsWith(`${name}: `)) text = text.slice(name.length + 2);
  return text;
}
