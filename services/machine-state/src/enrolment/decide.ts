/**
 * Who a Raspberry Pi is that asks. Serial numbers and MAC addresses can be faked, so they only give a name that no living machine has,
 * and only to one card. Everything else is for a person.
 */
import type { EnrolledPi, EnrolRequest, WaitCode } from '@skolo/api';
import type { Machine } from '@skolo/rack';

export interface Asking extends Pick<EnrolRequest, 'serial' | 'macs'> {
  /** Digest of its public key. Each card makes its own. */
  key: string;
}

/** A name that this key has got. */
export interface Enrolled extends EnrolledPi {
  /** The person gave the name of a machine that is alive. */
  force?: boolean | undefined;
}

/** What a person has decided about a key that waits. */
export interface Adoption {
  key: string;
  name: string;
  by: string;
  force: boolean;
}

export interface Known {
  machines: ReadonlyMap<string, Pick<Machine, 'name' | 'kind' | 'serial' | 'mac'>>;
  /** By name. */
  enrolled: ReadonlyMap<string, Enrolled>;
  /** Of the key that asks. */
  adoption?: Adoption | undefined;
  /** Other keys that say at present that they have this serial number. */
  rivals: number;
  /** `unknown`: the cluster does not answer. */
  liveness(name: string): 'alive' | 'dead' | 'unknown';
  now: number;
}

export interface Given {
  give: string;
  by?: string;
  force?: boolean;
}

export interface Waits {
  wait: WaitCode;
  why: string;
  name?: string;
}

/** A card that has got a name joins within this time, or its token is over. */
export const settlingMs = 15 * 60_000;

export function decide(asking: Asking, known: Known): Given | Waits {
  const own = [...known.enrolled.values()].find(({ key }) => key === asking.key);
  if (own !== undefined && own.serial !== asking.serial) {
    const why = `its card is a copy of that of ${own.name}, whose board is ${own.serial}; burn a card of its own`;
    return { wait: 'copied', why, name: own.name };
  }
  const adoption = adoptionOf(known, own);
  const found = adoption ? { name: adoption.name } : nameOf(asking, known);
  if ('wait' in found) return found;
  const { name } = found;
  if (!known.machines.has(name)) {
    return { wait: 'unknown', why: `rack.yaml has no machine ${name} any more`, name };
  }
  const isOwn = own?.name === name;
  if (!adoption && !isOwn && known.rivals > 0) {
    const why = `${known.rivals + 1} computers say that they have this serial number; adopt the right one by its key`;
    return { wait: 'rivals', why, name };
  }
  if (!adoption?.force) {
    const alive = whyAlive(name, known);
    if (alive !== undefined) return { ...alive, name };
  }
  if (!adoption && !isOwn && isSettling(known.enrolled.get(name), known.now)) {
    const why = `another card has got the name ${name} a moment ago, and may be joining`;
    return { wait: 'given', why, name };
  }
  return { give: name, ...(adoption && { by: adoption.by, force: adoption.force }) };
}

/** It holds for this key until another card gets the name. */
function adoptionOf({ adoption }: Known, own: Enrolled | undefined) {
  if (adoption !== undefined) return adoption;
  return own?.by === undefined
    ? undefined
    : { name: own.name, by: own.by, force: own.force ?? false };
}

function nameOf({ serial, macs }: Asking, { machines, enrolled }: Known): { name: string } | Waits {
  const pis = [...machines.values()].filter(({ kind }) => kind === 'rpi');
  const bySerial = pis.find((each) => each.serial === serial);
  const byMac = pis.find(({ mac }) => mac !== undefined && macs.includes(mac));
  const conflict = (name: string, why: string): Waits => ({
    ...{ wait: 'conflict', name },
    why: `${why}; correct rack.yaml, or adopt it`,
  });
  if (bySerial !== undefined) {
    const { name, mac } = bySerial;
    if (byMac !== undefined && byMac !== bySerial) {
      return conflict(
        name,
        `its serial number is that of ${name}, its MAC address of ${byMac.name}`,
      );
    }
    if (mac !== undefined && byMac === undefined) {
      return conflict(name, `rack.yaml has another MAC address for ${name}, ${mac}`);
    }
    return { name };
  }
  if (byMac !== undefined) {
    if (byMac.serial === undefined) return { name: byMac.name };
    return conflict(byMac.name, `rack.yaml has another serial number for ${byMac.name}`);
  }
  // A person has adopted this board once, and rack.yaml does not have it yet.
  const former = [...enrolled.values()].find((each) => each.serial === serial && each.by);
  const entry = former && machines.get(former.name);
  if (entry !== undefined && entry.serial === undefined) return { name: entry.name };
  return { wait: 'unknown', why: 'no machine of rack.yaml has its serial number or MAC address' };
}

/** Not where the clock has jumped back. */
export function isSettling(enrolled: Enrolled | undefined, now: number): boolean {
  if (enrolled === undefined) return false;
  const age = now - Date.parse(enrolled.at);
  return age >= 0 && age < settlingMs;
}

function whyAlive(name: string, { liveness }: Known): Omit<Waits, 'name'> | undefined {
  switch (liveness(name)) {
    case 'alive':
      return { wait: 'alive', why: `${name} is alive, on another computer or another card` };
    case 'unknown':
      return { wait: 'cluster', why: 'the API server of the cluster does not answer' };
    case 'dead':
      return undefined;
  }
}
