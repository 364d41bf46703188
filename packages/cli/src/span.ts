const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/**
 * `90m`, `1.5h`, `90d`, `52w` in milliseconds; undefined where it is something else, or nothing.
 *
 * @param units that are allowed
 */
export function spanMs(text: string, units: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text) ?? [];
  if (!units.includes(unit) || !isUnit(unit)) return undefined;
  return Number(number) * unitMs[unit] || undefined;
}

function isUnit(text: string): text is keyof typeof unitMs {
  return Object.hasOwn(unitMs, text);
}
