/** Reads a computer's IPv4 network, and the programs that configure it. Changes nothing. */
import { shellWord } from '@skolo/base';
import type { Host } from '@skolo/setup/engine';
import { z } from 'zod';
import { hasStanza } from './interfaces.ts';
import { matchFunction } from './networkd.ts';

export interface NetworkFacts {
  addresses: { name: string; address: string; prefix: number }[];
  defaults: { name: string; gateway: string }[];
  /** The interface that has the address, or the previous one. */
  owner: string | undefined;
  /** An interface has the address. */
  isThere: boolean;
  /** ifupdown files that configure the interface. */
  ifupdown: TextFile[];
  /** The active systemd-networkd file of the interface, and the line in [Match] that identifies it. */
  networkd: (TextFile & { match: string }) | undefined;
  /** The NetworkManager connection. */
  networkManager: string | undefined;
}

interface TextFile {
  path: string;
  text: string;
}

const Addresses = z.array(
  z.object({
    ifname: z.string(),
    addr_info: z.array(z.object({ local: z.string(), prefixlen: z.number(), scope: z.string() })),
  }),
);
const Routes = z.array(z.object({ dev: z.string(), gateway: z.string().exactOptional() }));

/**
 * @param address its current or future address
 * @param previous its current address, if different
 */
export async function readFacts(
  host: Host,
  address: string,
  previous?: string,
): Promise<NetworkFacts> {
  const json = async (command: string) => JSON.parse((await host.need(command)).trim() || '[]');
  const links = Addresses.parse(await json('ip -json -4 address show'));
  const routes = Routes.parse(await json('ip -json -4 route show default'));
  const addresses = links.flatMap(({ ifname, addr_info }) =>
    addr_info.flatMap(({ local, prefixlen, scope }) =>
      scope === 'global' ? [{ name: ifname, address: local, prefix: prefixlen }] : [],
    ),
  );
  // Two programs may have set the same route.
  const ways = new Map(
    routes.flatMap(({ dev, gateway }) =>
      gateway === undefined ? [] : [[`${dev} ${gateway}`, { name: dev, gateway }] as const],
    ),
  );
  const defaults = [...ways.values()];
  const hasIt = (wanted: string | undefined) =>
    addresses.find((each) => each.address === wanted)?.name;
  const isThere = hasIt(address) !== undefined;
  const owner = hasIt(address) ?? hasIt(previous);
  const name = owner ?? defaults[0]?.name;
  return {
    addresses,
    defaults,
    owner,
    isThere,
    ifupdown: name === undefined ? [] : await ifupdownFiles(host, name),
    networkd: name === undefined ? undefined : await networkdFile(host, name),
    networkManager: name === undefined ? undefined : await connectionOf(host, name),
  };
}

async function ifupdownFiles(host: Host, name: string): Promise<TextFile[]> {
  const listed = await host.need(
    `command -v ifup > /dev/null || exit 0
for each in /etc/network/interfaces /etc/network/interfaces.d/*; do [ ! -f "$each" ] || echo "$each"; done`,
  );
  const files: TextFile[] = [];
  for (const path of listed.split('\n').filter(Boolean)) {
    const text = (await host.read(path)) ?? '';
    if (hasStanza(text, name)) files.push({ path, text });
  }
  return files;
}

/** From its state file, which does not require D-Bus. */
async function networkdFile(host: Host, name: string): Promise<NetworkFacts['networkd']> {
  const { stdout } = await host.run(
    `systemctl is-active -q systemd-networkd.service || exit 0
sed -n 's/^NETWORK_FILE=//p' "/run/systemd/netif/links/$(cat /sys/class/net/${shellWord(name)}/ifindex)" 2>/dev/null | grep . || exit 0
${matchFunction}match_of ${shellWord(name)}`,
  );
  const [path = '', match = ''] = stdout.split('\n');
  if (path === '') return undefined;
  return { path, match, text: (await host.read(path)) ?? '' };
}

async function connectionOf(host: Host, name: string): Promise<string | undefined> {
  const { stdout } = await host.run(
    `systemctl is-active -q NetworkManager.service || exit 0
nmcli -g GENERAL.CONNECTION device show ${shellWord(name)} 2>/dev/null`,
  );
  return stdout.trim() || undefined;
}
