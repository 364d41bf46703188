/** A rack while it is being put together: what could be read so far, and where each thing stands in the file. */

import type { Login } from '@skolo/secrets';
import type { Path, Problem } from './issues.ts';
import type { Identity, InfrastructureDevice, Jumphost, Machine, Rack } from './rack.ts';

/** Sections whose entries are referred to by name. */
export type Section = 'identities' | 'logins' | 'infrastructure' | 'machines';

export interface Draft {
  /** Only entries without mistakes of their own. */
  rack: Omit<Rack, 'jumphost'> & {
    jumphost?: Jumphost;
    identities: Map<string, Identity>;
    logins: Map<string, Login>;
    infrastructure: Map<string, InfrastructureDevice>;
    machines: Map<string, Machine>;
  };
  /** Every name, also of entries with mistakes: who refers to one of these makes no second mistake. */
  declared: Record<Section, Set<string>>;
  /** All names that must differ, in the order of the file: machines, infrastructure, jumphost, phones. */
  named: { name: string; what: string; path: Path; at?: 'key' }[];
  /** Where something stands; the key is the machine, device, identity … itself. */
  where: Map<object, Path>;
}

/** A place in the file; a function where it is worked out only if something is wrong. */
export type Spot = Path | (() => Path);

/** Notes that something is wrong. Of equal paths and rules, from the names of one range, only the first is shown. */
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

/** The path of something within an entry. */
export function within(draft: Draft, entry: object, ...more: (string | number)[]): Path {
  return [...(draft.where.get(entry) ?? []), ...more];
}
