/** The saved configuration of Vyatta's descendants, as far as it has the voltage of a port. */

/** The value of `interfaces ethernet PORT poe output` in config.boot; undefined: it has none. */
export function savedPoeOutput(configuration: string, port: string): string | undefined {
  const wanted = `interfaces/ethernet ${port}/poe`;
  const path: string[] = [];
  for (const raw of configuration.split('\n')) {
    const line = raw.trim();
    if (line.endsWith('{')) path.push(line.slice(0, -1).trim());
    else if (line === '}') path.pop();
    else if (path.join('/') === wanted) {
      const [, value] = /^output "?([\w-]+)"?$/.exec(line) ?? [];
      if (value !== undefined) return value;
    }
  }
  return undefined;
}
