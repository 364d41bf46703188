import { plausibleCelsius } from './celsius.ts';
import { linesOf } from './lines.ts';

export interface Battery {
  /** 0 to 100. */
  percent?: number;
  celsius?: number;
}

/**
 * What Android's `dumpsys battery` prints (BatteryService.java): level of scale, temperature in tenths of a degree. A
 * device without a battery says `present: false`, and its figures mean nothing.
 */
export function readBattery(text: string): Battery {
  const fields = new Map<string, string>();
  for (const line of linesOf(text)) {
    const [, key, value] = /^\s+([a-z]+): (\S+)$/.exec(line) ?? [];
    // Later lines are old events, in words that look the same.
    if (key !== undefined && value !== undefined && !fields.has(key)) fields.set(key, value);
  }
  if (fields.get('present') === 'false') return {};
  const percent = percentOf(whole(fields.get('level')), whole(fields.get('scale')));
  const tenths = whole(fields.get('temperature'));
  const celsius = tenths === undefined ? undefined : plausibleCelsius(tenths / 10);
  return { ...(percent !== undefined && { percent }), ...(celsius !== undefined && { celsius }) };
}

function percentOf(level: number | undefined, scale = 100): number | undefined {
  if (level === undefined || level < 0 || scale <= 0 || level > scale) return undefined;
  return Math.round((level * 100) / scale);
}

function whole(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d{1,9}$/.test(text) ? Number(text) : undefined;
}
