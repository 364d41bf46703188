/** Lines of what a device printed. Over a terminal (adb before Android 7, `ssh -t`) they end in CRLF, or CRCRLF. */
export function linesOf(text: string): string[] {
  return text.split(/\r*\n/).map((line) => line.replace(/\r+$/, ''));
}

/** `KEY=value`, a line each; values may be quoted as in a shell (os-release(5), lsb-release of ChromeOS). */
export function readAssignments(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of linesOf(text)) {
    const [, key, value] = /^\s*([A-Za-z_]\w*)=(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) values.set(key, unquoted(value.trim()));
  }
  return values;
}

function unquoted(value: string): string {
  const [, single] = /^'([^']*)'$/.exec(value) ?? [];
  if (single !== undefined) return single;
  const [, double] = /^"((?:[^"\\]|\\.)*)"$/.exec(value) ?? [];
  return double === undefined ? value : double.replace(/\\(["\\$`])/g, '$1');
}
