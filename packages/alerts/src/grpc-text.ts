/** What gRPC says of a failure, on one line and without what wraps it. */

/** Enough for people; of some answers it is a whole page. */
const mostChars = 500;

export function saidBy(error: unknown): string {
  const details = error instanceof Error && 'details' in error ? error.details : undefined;
  const message = error instanceof Error ? error.message : String(error);
  if (typeof details !== 'string' || details === '') return oneLine(message);
  // gRPC wraps what happened in how it came about.
  const [, last] = /Last error: (?:Error: )?(.+?)\.? Resolution note:/.exec(details) ?? [];
  return oneLine(last ?? details);
}

function oneLine(text: string): string {
  return (text.split('\n')[0] ?? '').trim().replace(/\.$/, '').slice(0, mostChars);
}
