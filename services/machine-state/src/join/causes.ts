/** Decides whether a switch, PDU or router is the cause when several machines are silent at the same time. Pure. */
import type { CommonCause, RackEquipment } from '@skolo/api';
import { equipmentCause } from '@skolo/api/cause';
import { words } from '@skolo/api/words';
import type { Rack } from '@skolo/rack';
import { leastSilent, together } from './shared-silence.ts';

export interface CauseSources {
  /** By equipment of rack.yaml, the machines that depend on it: {@link behindEquipment}. */
  behind: ReadonlyMap<string, readonly string[]>;
  /** Each silent machine's last answer, in milliseconds since 1970. */
  silent: ReadonlyMap<string, number>;
  /** Each of them would have responded again within this time. */
  silenceMs: number;
  /** A machine that never reported says nothing about its switch. */
  hasReported(machine: string): boolean;
  /** `answeredAt`: in milliseconds since 1970; absent: now, if it is up. */
  stateOf(
    equipment: string,
  ): Pick<RackEquipment, 'state' | 'why' | 'since'> & { answeredAt?: number };
}

const leastDown = 2;

/** A failing one responds. */
function hasAnswered(state: RackEquipment['state']): boolean {
  return state === 'up' || state === 'failing';
}

/** The equipment that explains most machines comes first. No machine has two causes. */
export function commonCauses(sources: CauseSources): CommonCause[] {
  const { behind, silent, silenceMs, hasReported, stateOf } = sources;
  const heardAt = (machine: string) => silent.get(machine) ?? 0;
  /** An answer of the equipment while they still responded says nothing about now. */
  const isUp = (answeredAt = Number.POSITIVE_INFINITY, machines: readonly string[]) =>
    answeredAt >= Math.max(...machines.map(heardAt)) + silenceMs;
  const candidates = [...behind]
    .map(([what, all]) => ({ what, machines: all.filter(hasReported), ...stateOf(what) }))
    .filter(({ machines, state, answeredAt }) => {
      const least = state === 'down' ? leastDown : leastSilent;
      return (
        machines.length >= least &&
        machines.every((each) => silent.has(each)) &&
        !((hasAnswered(state) || answeredAt !== undefined) && isUp(answeredAt, machines))
      );
    });
  // If a PDU only feeds a switch, both explain the same machines.
  const alike = Map.groupBy(candidates, ({ machines }) => machines.toSorted().join(' '));
  const explained = new Set<string>();
  return [...alike.values()]
    .sort(([a], [b]) => (b?.machines.length ?? 0) - (a?.machines.length ?? 0))
    .flatMap((group) => {
      const machines = group[0]?.machines ?? [];
      if (machines.some((each) => explained.has(each))) return [];
      for (const each of machines) explained.add(each);
      return [causeOf(group, together(machines, heardAt))];
    });
}

interface Candidate extends Pick<RackEquipment, 'state' | 'why' | 'since'> {
  what: string;
}

/** Pieces of equipment that explain the same machines. If some are known to be down, they are the cause: the older silence first. */
function causeOf(
  group: readonly Candidate[],
  whom: Pick<CommonCause, 'machines' | 'since'>,
): CommonCause {
  const down = group
    .filter(({ state }) => state === 'down')
    .toSorted((a, b) => (a.since ?? '9').localeCompare(b.since ?? '9'));
  const known = down.length > 0 ? down : group;
  const cause = equipmentCause(known.map(({ what }) => what));
  const all = `none of the ${whom.machines.length} machines behind ${cause.text} responds`;
  const detail = known.length === 1 && known[0]?.why ? ` (${known[0].why})` : '';
  const why = words(down.length > 0 ? `${cause.text} is down${detail}: ${all}` : all);
  return { ...cause, why, ...whom };
}

function equipmentOf(uplink: Rack['jumphost']['uplink']): string | undefined {
  return uplink === 'internet' ? undefined : uplink?.device;
}

/**
 * The machines that the jumphost cannot reach when a piece of equipment is off: those without power, and those with such a piece
 * on their path to the jumphost. Later ones feed or connect those before them.
 */
export function behindEquipment(rack: Rack): Map<string, string[]> {
  const toJumphost = chainOf(rack, equipmentOf(rack.jumphost.uplink));
  const ways = new Map(
    [...rack.machines.values()].map(({ name, uplink }) => [
      name,
      wayBetween(chainOf(rack, uplink?.device), toJumphost),
    ]),
  );
  const found = [...rack.equipment.keys()].map((equipment) => {
    const off = offWith(rack, equipment);
    const machines = [...rack.machines.values()]
      .filter(({ name, power }) => {
        const hasNoPower = power.length > 0 && power.every(({ device }) => off.has(device));
        return hasNoPower || ways.get(name)?.some((each) => off.has(each));
      })
      .map(({ name }) => name);
    return { equipment, machines, taken: off.size };
  });
  found.sort((a, b) => a.taken - b.taken);
  return new Map(found.map(({ equipment, machines }) => [equipment, machines]));
}

/** Equipment that loses power when this one is off, including itself. */
function offWith(rack: Rack, equipment: string): Set<string> {
  const off = new Set([equipment]);
  for (let size = 0; size !== off.size; ) {
    size = off.size;
    for (const { name, power } of rack.equipment.values()) {
      if (power.length > 0 && power.every(({ device }) => off.has(device))) off.add(name);
    }
  }
  return off;
}

/** From a piece of equipment upwards. A ring ends where it began. */
function chainOf(rack: Rack, first: string | undefined): string[] {
  const chain: string[] = [];
  for (let next = first; next !== undefined && !chain.includes(next); ) {
    chain.push(next);
    const uplink = rack.equipment.get(next)?.uplink;
    next = uplink === undefined || uplink === 'internet' ? undefined : uplink.device;
  }
  return chain;
}

/** Both up to the first shared equipment. Without one, all of the first. */
function wayBetween(one: readonly string[], other: readonly string[]): string[] {
  const shared = one.find((each) => other.includes(each));
  if (shared === undefined) return [...one];
  return [...one.slice(0, one.indexOf(shared) + 1), ...other.slice(0, other.indexOf(shared))];
}
