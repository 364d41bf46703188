import { errorText, NamedError } from '@skolo/base';

/** A failure in a cluster of Pis. The message says what to do. */
export class ClusterError extends NamedError {}

/** The reason, without the computer's name, which the line already contains. */
export function reasonOf(name: string, error: unknown): string {
  let text = errorText(error);
  while (text.startsWith(`${name}: `)) text = text.slice(name.length + 2);
  return text;
}
