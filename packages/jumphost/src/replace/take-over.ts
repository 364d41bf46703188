/** The spare takes the name and the address of the former jumphost, and what tells of them. */

import { shellWord } from '@skolo/errors';
import { linesOf } from '../files.ts';
import { changeGuarded, type Guard } from '../guarded-change.ts';
import type { FileContent, Host } from '../host.ts';
import type { Step } from '../step.ts';
import { probe, probeFile } from '../steps/sole.ts';
import { staged } from './staging.ts';

export interface TakeOver {
  jumphost: { name: string; address: string };
  /** As rack.yaml has it. */
  spare: { name: string; address: string };
}

/** On a jumphost that was a spare: who it was, as JSON. */
export const tookOver = '/etc/skolo/took-over';

/** Only checked. A fence that holds leaves nobody at that address. */
export function aloneStep({ jumphost, spare }: TakeOver): Step {
  return {
    name: 'alone',
    about: `nobody answers at ${jumphost.address}`,
    async check(host) {
      if (jumphost.address.includes(':')) return { differs: [], note: 'not checked: IPv6' };
      const { device } = await ownInterface(host, spare.address);
      await host.write({ path: probeFile, content: probe, mode: 0o755 });
      const { code, stdout, stderr } = await host.run(
        `${probeFile} ${shellWord(device)} ${shellWord(jumphost.address)}`,
      );
      if (code === 0) return { differs: [] };
      if (code !== 3) return { differs: [stderr || `the probe of ${device} failed (${code})`] };
      const who = `${stdout.trim()} has ${jumphost.address}: the former jumphost, or something else`;
      return { differs: [`${who}; it must not be reachable before the spare takes its place`] };
    },
  };
}

/**
 * Takes name, address and ssh host keys, and returns to the former ones unless a new session reaches it as the jumphost. A
 * second run does nothing.
 *
 * @param about what is kept in `tookOver`
 */
export function addressStep(takeOver: TakeOver, about: object, guard: Guard): Step {
  const { jumphost } = takeOver;
  return {
    name: 'address',
    about: `name, address and ssh host keys of ${jumphost.name}`,
    async check(host) {
      const has = await hasAddress(host, jumphost.address);
      return { differs: has ? [] : [`does not have ${jumphost.address} yet`] };
    },
    async apply(host) {
      const { device, prefix } = await ownInterface(host, takeOver.spare.address);
      const mark = { path: tookOver, content: `${JSON.stringify(about)}\n` };
      const files = [mark, ...(await namedFiles(host, takeOver)), ...(await hostKeys(host))];
      const activate = activation(takeOver, device, prefix);
      await changeGuarded(host, { name: 'address', files, activate }, guard);
    },
  };
}

/** The address that the spare had is free again. To be run through the new address. */
export function formerAddressStep({ jumphost, spare }: TakeOver): Step {
  return {
    name: 'former-address',
    about: `${spare.address} is free for another computer`,
    async check(host) {
      const has = await hasAddress(host, spare.address);
      return { differs: has ? [`still has ${spare.address}`] : [] };
    },
    async apply(host) {
      const { device, prefix } = await ownInterface(host, spare.address);
      // The first address of a network takes the others, and the routes, with it, unless one of them takes its place.
      await host.need(`set -e
gateway=$(ip route show default dev ${shellWord(device)} | head -n 1)
if [ -e /proc/sys/net/ipv4/conf/${device}/promote_secondaries ]; then echo 1 > /proc/sys/net/ipv4/conf/${device}/promote_secondaries; fi
ip address delete ${spare.address}/${prefix} dev ${shellWord(device)}
[ -z "$gateway" ] || ip route replace $gateway dev ${shellWord(device)}
ip address show dev ${shellWord(device)} | grep -q ${shellWord(`${jumphost.address}/`)}`);
    },
  };
}

async function hasAddress(host: Host, address: string): Promise<boolean> {
  const { stdout } = await host.run(`ip -o address show to ${shellWord(address)}`);
  return stdout.trim() !== '';
}

/** @throws JumphostError The spare does not have the address that rack.yaml gives it. */
async function ownInterface(host: Host, address: string) {
  const line = await host.need(
    `line=$(ip -o address show to ${shellWord(address)} | head -n 1)
[ -n "$line" ] || { echo 'it does not have the address ${address} of rack.yaml' >&2; exit 1; }
echo "$line"`,
  );
  const [, device = '', prefix = ''] = /^\d+: (\S+)\s+inet6? \S+\/(\d+)/.exec(line) ?? [];
  return { device, prefix };
}

/** Where Debian's programs keep addresses, and names. */
const places = [
  '/etc/network/interfaces',
  '/etc/network/interfaces.d/*',
  '/etc/systemd/network/*.network',
  '/etc/netplan/*.yaml',
  '/etc/NetworkManager/system-connections/*',
  '/etc/hosts',
];

async function namedFiles(host: Host, { jumphost, spare }: TakeOver): Promise<FileContent[]> {
  const found = linesOf(
    await host.need(`for each in ${places.join(' ')}; do
  if [ -f "$each" ]; then stat -c '%a %n' "$each"; fi
done`),
  );
  const own = (await host.need('cat /proc/sys/kernel/hostname')).trim();
  const files = found.map(async (line): Promise<FileContent[]> => {
    const [mode = '', ...rest] = line.split(' ');
    const path = rest.join(' ');
    const text = (await host.read(path)) ?? '';
    const names = path === '/etc/hosts' ? word(own) : undefined;
    const moved = text.replaceAll(word(spare.address), jumphost.address);
    const content = names === undefined ? moved : moved.replaceAll(names, jumphost.name);
    return content === text ? [] : [{ path, content, mode: Number.parseInt(mode, 8) }];
  });
  const changed = (await Promise.all(files)).flat();
  if (!changed.some(({ path }) => path !== '/etc/hosts')) {
    // It would be gone with the next start.
    await host.need(
      `echo 'no file of ${places.slice(0, -1).join(', ')} has ${spare.address}; a spare needs a fixed address' >&2; exit 1`,
    );
  }
  return [...changed, { path: '/etc/hostname', content: `${jumphost.name}\n` }];
}

/** Not as a part of a longer one. */
function word(text: string): RegExp {
  return new RegExp(`(?<![\\w.:-])${text.replaceAll('.', '\\.')}(?![\\w.:-])`, 'g');
}

/** Those of the copy; without any, the spare keeps its own. */
async function hostKeys(host: Host): Promise<FileContent[]> {
  const found = linesOf(
    await host.need(
      `cd ${staged} 2>/dev/null || exit 0; ls etc/ssh/ssh_host_* 2>/dev/null || true`,
    ),
  );
  const keys = found.map(async (path) => ({
    path: `/${path}`,
    content: (await host.read(`${staged}/${path}`)) ?? '',
    mode: path.endsWith('.pub') ? 0o644 : 0o600,
  }));
  return await Promise.all(keys);
}

/** Also for the way back, where the mark is gone. */
function activation({ jumphost }: TakeOver, device: string, prefix: string): string {
  const address = `${jumphost.address}/${prefix} dev ${shellWord(device)}`;
  return `if [ -e ${tookOver} ]; then
  ip address replace ${address}
  # Neighbours remember the former one for a while.
  ${probeFile} ${shellWord(device)} ${jumphost.address} announce || true
else
  ip address delete ${address} 2>/dev/null || true
fi
hostname -F /etc/hostname
systemctl reload ssh.service`;
}

/**
 * The cluster knows a password of the jumphost's node, which was on the disk of the former one. k3s rejects every computer with
 * another one, so that the former password is forgotten where the copy does not have it.
 * Source: docs.k3s.io, Node Registration.
 */
export function nodePasswordStep({ jumphost }: TakeOver): Step {
  const secret = `-n kube-system secret ${shellWord(`${jumphost.name}.node-password.k3s`)}`;
  return {
    name: 'node-password',
    about: 'the cluster accepts the node of the jumphost',
    check: async (host) => ({
      differs: linesOf(
        await host.need(
          `journalctl -u k3s.service -b -n 200 -o cat --no-pager 2>/dev/null | grep -q 'Node password rejected' && [ ! -e /run/skolo-jumphost/node-password ] && echo 'it rejects the node: its password was on the former disk'; true`,
        ),
      ),
    }),
    async apply(host) {
      await host.need(
        `k3s kubectl delete --ignore-not-found ${secret} && systemctl restart k3s.service && mkdir -p /run/skolo-jumphost && touch /run/skolo-jumphost/node-password`,
        { deadlineMs: 600_000 },
      );
    },
  };
}
