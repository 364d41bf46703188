/** Of the first line of /proc/uptime (proc(5)): `3600.52 7100.10`; undefined: it is no such line. */
export function readUptime(line: string): number | undefined {
  const [, seconds] = /^\s*(\d{1,12}(?:\.\d+)?)\s+\d+(?:\.\d+)?\s*$/.exec(line) ?? [];
  return seconds === undefined ? undefined : Number(seconds);
}
