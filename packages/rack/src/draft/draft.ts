/** A rack under construction: entries read so far and their paths. */

import type { Login } from '@skolo/base/secrets';
import type { Model } from '@skolo/equipment/models';
import type { Path, Problem } from '../issues/issues.ts';
import type { Equipment, Identity, Jumphost, Machine, Rack } from '../rack/rack.ts';

/** Sections with references by name. */
type Section = 'identities' | 'logins' | 'equipment' | 'machines';

export interface Draft {
  /** Only entries without errors of their own. */
  rack: Omit<Rack, 'jumphost'> & {
    jumphost?: Jumphost;
    identities: Map<string, Identity>;
    logins: Map<string, Login>;
    equipment: Map<string, Equipment>;
    machines: Map<string, Machine>;
  };
  /** All names, including those of entries with errors, because a reference to one is not an error. */
  declared: Record<Section, Set<string>>;
  /** Names of machines and equipment that are omitted from the usable part for their errors. */
  omitted: Set<string>;
  /** Names that must be unique, in the order of the file. */
  named: { name: string; what: string; path: Path; at?: 'key' }[];
  where: Map<object, Path>;
  /** The lab's own models; undefined: one with errors. */
  labModels: Map<string, LabModel | undefined>;
}

/** One of the lab's own models. */
export interface LabModel {
  base: Model;
  /** The keys that it gives to an entry, as written. */
  values: Readonly<Record<string, unknown>>;
  path: Path;
}

/** A path, or a function that computes it for a problem. */
export type Spot = Path | (() => Path);

/** Adds a problem. For equal paths and rules, only the first is shown. */
export type Report = (
  spot: Spot,
  rule: string,
  message: string,
  at?: 'key',
  more?: { other?: Spot; missing?: Problem['missing'] },
) => void;

export function reportTo(problems: Problem[]): Report {
  return (spot, rule, message, at, { other, missing } = {}) => {
    problems.push({
      path: pathOf(spot),
      rule,
      message,
      ...(at && { at }),
      ...(other && { other: pathOf(other) }),
      ...(missing && { missing }),
    });
  };
}

function pathOf(spot: Spot): Path {
  return typeof spot === 'function' ? spot() : spot;
}

/** Records who uses a value, and returns the first earlier user that conflicts with this one. */
export function claims<U>(
  isConflict: (user: U, other: U) => boolean = () => true,
): (value: string, user: U) => U | undefined {
  const users = new Map<string, U[]>();
  return (value, user) => {
    const others = users.get(value) ?? [];
    users.set(value, [...others, user]);
    return others.find((other) => isConflict(user, other));
  };
}

/** A path within an entry. */
export function within(draft: Draft, entry: object, ...more: (string | number)[]): Path {
  return [...(draft.where.get(entry) ?? []), ...more];
}
