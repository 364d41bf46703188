import { linesOf } from './lines.ts';

/**
 * Properties as Android's `getprop` prints them: `[ro.build.id]: [SP1A.210812.016]`. Values may have several lines. Those
 * that are empty are left out.
 */
export function readProperties(text: string): ReadonlyMap<string, string> {
  const properties = new Map<string, string>();
  let open: { key: string; value: string } | undefined;
  for (const line of linesOf(text)) {
    const [, key, begin] = /^\[([^[\]]+)\]: \[(.*)$/.exec(line) ?? [];
    if (key !== undefined && begin !== undefined) open = { key, value: begin };
    else if (open !== undefined) open.value += `\n${line}`;
    if (open?.value.endsWith(']')) {
      const value = open.value.slice(0, -1).trim();
      if (value !== '') properties.set(open.key, value);
      open = undefined;
    }
  }
  return properties;
}
