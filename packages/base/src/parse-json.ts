/** JSON from outside; undefined where it is malformed. The error of `JSON.parse` would quote it, with its secrets. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
