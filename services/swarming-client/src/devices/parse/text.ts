/** Splits device output into lines. Over a terminal (adb before Android 7, `ssh -t`) they end in CRLF, or CRCRLF. */
export function linesOf(text: string): string[] {
  // Looks at a run of carriage returns once, not from each of them.
  return text.split('\n').map((line) => line.replace(/(?<!\r)\r+$/, ''));
}

/** `KEY=value`, one per line; values may be quoted as in a shell (os-release(5), lsb-release of ChromeOS). */
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

/**
 * A temperature, or undefined for the value of an absent or broken sensor. A phone in a rack never measures below 0, and none of its parts
 * survives above 150 °C.
 */
export function plausibleCelsius(value: number): number | undefined {
  return value >= 0 && value <= 150 ? Math.round(value * 100) / 100 : undefined;
}

/** The seconds in a line of /proc/uptime (proc(5)), `3600.52 7100.10`; undefined: no line of the text is one. */
export function readUptime(text: string): number | undefined {
  for (const line of linesOf(text)) {
    const [, seconds] = /^\s*(\d{1,12}(?:\.\d+)?)\s+\d+(?:\.\d+)?\s*$/.exec(line) ?? [];
    if (seconds !== undefined) return Number(seconds);
  }
  return undefined;
}
