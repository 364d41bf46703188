/**
 * The kernel's neighbour table: which MAC is behind an address on the local network. Whoever spoofs a
 * machine's address responds from a different MAC, unless it also spoofs the MAC.
 *
 * IPv4: /proc/net/arp (proc(5)). IPv6: that file has none, so `ip -6 -json neigh` (iproute2) is used.
 */
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { run } from '@skolo/base/run';
import { z } from 'zod';

/** Lower case, with colons; undefined if the kernel has no complete entry. Throws if it cannot be queried. */
export type FindMac = (address: string) => Promise<string | undefined>;

type Table = ReadonlyMap<string, string>;

const IpNeighbours = z.array(z.looseObject({ dst: z.string(), lladdr: z.string().optional() }));
/** Queries the kernel for each look-up; look-ups during a query share the next one. */
export function neighbourTable(read = { ipv4: readArp, ipv6: readIpv6Neighbours }): FindMac {
  const tables = { ipv4: shared(read.ipv4), ipv6: shared(read.ipv6) };
  return async function findMac(address) {
    const table = await tables[isIPv6(address) ? 'ipv6' : 'ipv4']();
    return table.get(address);
  };
}

/** A query that started before the call is not sufficient, because a spoofer may have appeared since. */
function shared(read: () => Promise<Table>): () => Promise<Table> {
  let latest: Promise<unknown> = Promise.resolve();
  let next: Promise<Table> | undefined;
  function start(): Promise<Table> {
    next = undefined;
    const reading = read();
    latest = reading;
    return reading;
  }
  return function get() {
    next ??= latest.then(start, start);
    return next;
  };
}

async function readArp(): Promise<Table> {
  return parseArp(await readFile('/proc/net/arp', 'utf8'));
}

/** Columns: IP address, HW type, flags, HW address, mask, device. Flag 2 says that the entry is complete. */
export function parseArp(content: string): Table {
  const table = new Map<string, string>();
  for (const line of content.split('\n').slice(1)) {
    const [address, , flags, mac] = line.trim().split(/\s+/);
    if (address && mac && Number(flags) & 2) table.set(address, mac.toLowerCase());
  }
  return table;
}

/** MACs by address. Throws if `ip` is not installed. */
export async function readIpv6Neighbours(): Promise<Table> {
  const { stdout } = await run('ip', ['-6', '-json', 'neigh', 'show'], { timeout: 2000 });
  return parseNeigh(stdout);
}

/** Output of `ip -json neigh`; incomplete and failed entries have no `lladdr`. */
export function parseNeigh(json: string): Table {
  const entries = IpNeighbours.parse(JSON.parse(json || '[]'));
  return new Map(
    entries.flatMap(({ dst, lladdr }) => (lladdr ? [[dst, lladdr.toLowerCase()]] : [])),
  );
}
