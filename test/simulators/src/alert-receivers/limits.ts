/** Published limits of fields, and what exceeds them. */

/** `characters` are code points, or UTF-16 units for receivers that are strict about it. */
export interface Limit {
  /** Names, joined by dots. */
  field: string;
  most?: number;
  unit?: 'characters' | 'bytes';
  required?: boolean;
  oneOf?: readonly string[];
}

interface Excess extends Limit {
  why: 'missing' | 'too long' | 'not allowed';
}

export function excessesOf(body: unknown, limits: readonly Limit[], isStrict: boolean): Excess[] {
  return limits.flatMap((limit): Excess[] => {
    const { field, most = Number.POSITIVE_INFINITY, unit, required = false, oneOf } = limit;
    const value = field.split('.').reduce(fieldOf, body);
    if (isBlank(value)) return required ? [{ ...limit, why: 'missing' }] : [];
    if (typeof value !== 'string') return [{ ...limit, why: 'not allowed' }];
    if (oneOf !== undefined && !oneOf.includes(value)) return [{ ...limit, why: 'not allowed' }];
    const length = unit === 'bytes' ? Buffer.byteLength(value) : lengthOf(value, isStrict);
    return length > most ? [{ ...limit, why: 'too long' }] : [];
  });
}

export function lengthOf(text: string, isStrict: boolean): number {
  return isStrict ? text.length : [...text].length;
}

export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** As Unicode defines white space, which receivers trim. */
export function isBlank(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    (typeof value === 'string' && !/\P{White_Space}/u.test(value))
  );
}
