/** Parses untrusted JSON; undefined if it is malformed. The error of `JSON.parse` would quote it, including secrets. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
