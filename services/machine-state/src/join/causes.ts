/** Decides whether a switch, PDU or router is the cause when several machines are silent at the same time. Pure. */
import type { CommonCause, RackEquipment } from '@skolo/api';
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
  /** `answeredAt`: in milliseconds since 1970; absent: now. */
  stateOf(equipment: string): Pick<RackEquipment, 'state' | 'why'> & { answeredAt?: number };
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
        !(hasAnswered(state) && isUp(answeredAt, machines))
      );
    })
    // If a PDU only feeds a switch, the switch, unless only the PDU is known to be down.
    .sort(
      (a, b) =>
        b.machines.length - a.machines.length ||
        Number(b.state === 'down') - Number(a.state === 'down'),
    );
  const explained = new Set<string>();
  return candidates.flatMap(({ what, machines, state, why }) => {
    if (machines.some((each) => explained.has(each))) return [];
    for (const each of machines) explained.add(each);
    const all = `none of the ${machines.length} machines behind ${what} responds`;
    const text =
      state === 'down' ? `${what} is down${why === undefined ? '' : ` (${why})`}: ${all}` : all;
    return [{ what, kind: 'equipment', text, ...together(machines, heardAt) }];
  });
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
