import { linesOf } from './lines.ts';

/** What `ideviceinfo` prints: `ProductType: iPhone12,1`, a line each. What is indented belongs to a list or a map above. */
export function readIdeviceInfo(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of linesOf(text)) {
    const [, key, value] = /^([A-Za-z][A-Za-z0-9-]*): (.*)$/.exec(line) ?? [];
    if (key !== undefined && value?.trim()) values.set(key, value.trim());
  }
  return values;
}

/** UDIDs as `idevice_id -l` prints them: 40 hexadecimal digits, or 8 and 16 with a hyphen since 2018. */
export function readUdids(text: string): string[] {
  const found = linesOf(text).map(
    (line) => /^([0-9A-Fa-f-]{24,40})(\s+\(USB\))?\s*$/.exec(line)?.[1],
  );
  return [...new Set(found.filter((udid) => udid !== undefined))];
}
