/**
 * Decides which name a new Raspberry Pi gets, or that it waits for a person (enrolment). Serial numbers and MAC addresses can be faked.
 * So they count only together with an image's secret, and only for a name that no living machine and no other card has. Afterwards the
 * card's key counts, and what was recorded with it. Everything else needs attention.
 */
import type { EnrolledPi, EnrolRequest, WaitCode } from '@skolo/api';
import type { Machine } from '@skolo/rack';
import type { SecretState } from './secrets.ts';

interface Asking extends Pick<EnrolRequest, 'serial' | 'macs'> {
  /** Digest of its public key. Each card generates its own. */
  key: string;
}

/** A name assigned to this key, and the board that it was assigned to. */
export interface Enrolled extends EnrolledPi {
  /** The person chose the name of a machine that is alive. */
  force?: boolean | undefined;
}

/** A person's decision about a waiting key. */
interface Adoption {
  key: string;
  name: string;
  by: string;
  force: boolean;
}

export interface Known {
  machines: ReadonlyMap<string, Pick<Machine, 'name' | 'kind' | 'serial' | 'mac'>>;
  /** By name. */
  enrolled: ReadonlyMap<string, Enrolled>;
  /** Of the requesting key. */
  adoption?: Adoption | undefined;
  /** A person has revoked the requesting key. */
  isRevoked: boolean;
  /** The image's secret, from the request. */
  secret: SecretState;
  /** Other keys that currently claim this serial number. */
  rivals: number;
  /** `unknown`: the cluster does not respond. */
  liveness(name: string): 'alive' | 'dead' | 'unknown';
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

export interface Rejected {
  reject: string;
}

export function decide(asking: Asking, known: Known): Given | Waits | Rejected {
  if (known.isRevoked)
    return { reject: 'the key of this SD card was revoked; write a new SD card' };
  const own = [...known.enrolled.values()].find(({ key }) => key === asking.key);
  const isNew = own === undefined && known.adoption === undefined;
  const barred = isNew ? whyBarred(known.secret) : undefined;
  if (barred !== undefined) return barred;
  if (own !== undefined && own.serial !== asking.serial) {
    const why = `this Pi's SD card is a copy of the one in ${own.name} (serial number ${own.serial}); write a new SD card for this Pi`;
    return { wait: 'copied', why, name: own.name };
  }
  const adoption = adoptionOf(known, own);
  const found = adoption ? { name: adoption.name } : nameOf(asking, own, known);
  if ('wait' in found) return found;
  const { name } = found;
  if (!known.machines.has(name)) {
    return { wait: 'unknown', why: `the machine ${name} is no longer in rack.yaml`, name };
  }
  const isOwn = own?.name === name;
  if (!adoption && !isOwn && known.rivals > 0) {
    const why = `${known.rivals + 1} computers report this serial number; adopt the right one by its key`;
    return { wait: 'rivals', why, name };
  }
  if (!adoption?.force) {
    const alive = whyAlive(name, known);
    if (alive !== undefined) return { ...alive, name };
  }
  const holder = known.enrolled.get(name);
  if (!adoption && holder !== undefined && holder.key !== asking.key) {
    const why = `another SD card has the name ${name}, and the machine with this name is off; if this SD card replaces it, adopt this Pi`;
    return { wait: 'taken', why, name };
  }
  return { give: name, ...(adoption && { by: adoption.by, force: adoption.force }) };
}

/** Only somebody with an image's secret may claim a board. */
function whyBarred(secret: SecretState): Waits | Rejected | undefined {
  switch (secret) {
    case 'valid':
      return undefined;
    case 'expired': {
      const why = "the image's enrolment secret has expired; adopt this Pi, or write a new image";
      return { wait: 'expired', why };
    }
    case 'clock':
      return { wait: 'clock', why: "the jumphost's clock is wrong" };
    case 'unknown':
      return { reject: "the image's enrolment secret is unknown; write a new image" };
  }
}

/** Valid for this key until another card gets the name, or the name leaves rack.yaml. */
function adoptionOf({ adoption, machines }: Known, own: Enrolled | undefined) {
  if (adoption !== undefined) return adoption;
  return own?.by === undefined || !machines.has(own.name)
    ? undefined
    : { name: own.name, by: own.by, force: own.force ?? false };
}

/** The requesting board; for an enrolled card, the board in its record, because a task on it can claim any other. */
function nameOf(
  asking: Asking,
  own: Enrolled | undefined,
  { machines, enrolled }: Known,
): { name: string } | Waits {
  const { serial, macs } = own ?? asking;
  const pis = [...machines.values()].filter(({ kind }) => kind === 'rpi');
  const bySerial = pis.find((each) => each.serial === serial);
  const byMac = pis.find(({ mac }) => mac !== undefined && macs.includes(mac));
  const conflict = (name: string, why: string): Waits => ({
    wait: 'conflict',
    name,
    why: `${why}; fix rack.yaml, or adopt this Pi`,
  });
  if (bySerial !== undefined) {
    const { name, mac } = bySerial;
    if (byMac !== undefined && byMac !== bySerial) {
      return conflict(
        name,
        `the serial number belongs to ${name}, but the MAC address belongs to ${byMac.name}`,
      );
    }
    if (mac !== undefined && byMac === undefined && own?.name !== name) {
      return conflict(name, `rack.yaml specifies another MAC address for ${name}: ${mac}`);
    }
    return { name };
  }
  if (byMac !== undefined) {
    if (byMac.serial === undefined) return { name: byMac.name };
    return conflict(byMac.name, `rack.yaml specifies another serial number for ${byMac.name}`);
  }
  // rack.yaml does not contain this board yet, or no longer.
  const previous = own ?? [...enrolled.values()].find((each) => each.serial === serial);
  const entry = previous && machines.get(previous.name);
  if (entry !== undefined && entry.serial === undefined) return { name: entry.name };
  return { wait: 'unknown', why: 'no machine in rack.yaml has this serial number or MAC address' };
}

function whyAlive(name: string, { liveness }: Known): Omit<Waits, 'name'> | undefined {
  switch (liveness(name)) {
    case 'alive':
      return {
        wait: 'alive',
        why: `${name} is running on another computer or from another SD card`,
      };
    case 'unknown':
      return { wait: 'cluster', why: "the cluster's API server is not responding" };
    case 'dead':
      return undefined;
  }
}
