/** The name of the rack in a rack.yaml, without reading the rest: it may be of another version or contain errors. */
export function rackNameIn(text: string): string | undefined {
  return /^rack: *["']?([\w.-]+)/m.exec(text)?.[1];
}
