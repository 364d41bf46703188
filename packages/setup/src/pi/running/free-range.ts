/** Finds addresses in a subnet that rack.yaml does not assign, for computers that it does not contain. */
import type { Rack } from '@skolo/rack';

const most = 50;

/** The last 50 of the longest run. Undefined if all are assigned. @param subnet IPv4 */
export function freeRange(rack: Rack, subnet: string): { first: string; last: string } | undefined {
  const [network = '', length = '32'] = subnet.split('/');
  const size = 2 ** (32 - Number(length));
  const start = Math.floor(numberOf(network) / size) * size;
  const entries = [rack.jumphost, ...rack.equipment.values(), ...rack.machines.values()];
  const phones = [...rack.machines.values()].flatMap(({ devices }) => devices);
  const taken = [...entries, ...phones].flatMap(({ address }) =>
    address === undefined || address.includes(':') ? [] : [numberOf(address)],
  );
  // The first address is the network's, and the last one is broadcast.
  const ends = [start, ...taken, start + size - 1]
    .filter((each) => each >= start && each < start + size)
    .sort((a, b) => a - b);
  let best = { first: 0, last: -1 };
  for (const [at, end] of ends.entries()) {
    const run = { first: (ends[at - 1] ?? end) + 1, last: end - 1 };
    if (run.last - run.first > best.last - best.first) best = run;
  }
  if (best.last < best.first) return undefined;
  return {
    first: textOf(Math.max(best.first, best.last - most + 1)),
    last: textOf(best.last),
  };
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, each) => sum * 256 + Number(each), 0);
}

function textOf(number: number): string {
  return [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join('.');
}
