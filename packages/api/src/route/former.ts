/**
 * Names that changed with this version. During a push, services and their clients are of different versions, so for one version both
 * also accept the previous names. The console's pages use this, so this file imports nothing at runtime.
 */

/** Former names of a route, and in its bodies. */
export interface Former {
  /** How its path begins. Where a path does not, it is the same: a response then has both names, and a client sends the former ones. */
  path: { now: string; was: string };
  /** Keys in bodies, at any depth. The first one applies; `type`: only to such values. */
  keys: readonly { now: string; was: string; type?: 'string' }[];
  /** Values of a key; only where the path differs. */
  values?: readonly { key: string; now: string; was: string }[];
}

/** Of routes about equipment, which was called devices. */
export const formerEquipment: Former = {
  path: { now: '/v1/equipment', was: '/v1/devices' },
  keys: [
    { now: 'equipment', was: 'device', type: 'string' },
    { now: 'equipment', was: 'devices' },
  ],
  values: [{ key: 'where', now: 'equipment', was: 'device' }],
};

/** The path in the previous version. */
export function formerPath({ path, former }: { path: string; former?: Former }): string {
  const { now, was } = former?.path ?? { now: '', was: '' };
  return path.startsWith(now) ? `${was}${path.slice(now.length)}` : path;
}

/** No schema is deeper. */
const deepest = 20;

/** @param keeps whether the other names remain next to these */
export function renamed(
  body: unknown,
  former: Former,
  to: 'now' | 'was',
  keeps = false,
  depth = 0,
): unknown {
  if (typeof body !== 'object' || body === null || depth > deepest) return body;
  const inside = (value: unknown) => renamed(value, former, to, keeps, depth + 1);
  if (Array.isArray(body)) return body.map(inside);
  const from = to === 'now' ? 'was' : 'now';
  const entries = Object.entries(body).flatMap(([key, value]) => {
    const name = former.keys.find(
      (each) => each[from] === key && (each.type ?? typeof value) === typeof value,
    );
    const word = former.values?.find((each) => each.key === key && each[from] === value);
    const now = word?.[to] ?? inside(value);
    return [...(keeps ? [[key, now]] : []), [name?.[to] ?? key, now]];
  });
  return Object.fromEntries(entries);
}
