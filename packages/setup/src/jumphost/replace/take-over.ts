/** The spare takes over the old jumphost's name, address and identity. */
import { shellWord } from '@skolo/base';
import { machineScript, type Statement, statementFile } from '@skolo/rack/jumphost';
import { type FileContent, type Guard, type Host, linesOf, type Step } from '@skolo/setup/engine';
import { changeAddress, whyNoAddress } from '../address/fixed-address.ts';
import { deviceOf, probeFile, whoHas } from '../address/probe.ts';
import { staged } from './staging.ts';

export interface TakeOver {
  jumphost: { name: string; address: string };
  /** As rack.yaml has it. */
  spare: { name: string; address: string };
  /** Of the rack. */
  subnet: string;
  /** Statement that this computer is now the rack's jumphost. @param machine as printed by `machineScript` */
  sign(machine: string): Statement;
}

/** On a jumphost that was a spare: its previous identity, as JSON. */
export const tookOver = '/etc/skolo/took-over';

/** Check only, because after the fence it is too late to find out. */
export function spareStep({ jumphost, spare, subnet }: TakeOver): Step {
  return {
    name: 'spare',
    about: `the address ${spare.address} can be changed to the jumphost's`,
    async check(host) {
      const why = await whyNoAddress(host, {
        address: jumphost.address,
        previous: spare.address,
        subnet,
      });
      if (why !== undefined) {
        return {
          differs: [
            `${why}; fix the spare's network configuration, which must use ifupdown or systemd-networkd`,
          ],
        };
      }
      const hasIt = (await deviceOf(host, spare.address)) !== '';
      return {
        differs: hasIt ? [] : [`the spare does not use ${spare.address}, its address in rack.yaml`],
      };
    },
  };
}

/** Check only. If the fence works, no computer uses that address. */
export function aloneStep({ jumphost: { address }, spare }: TakeOver): Step {
  return {
    name: 'alone',
    about: `no computer responds at ${address}`,
    async check(host) {
      const other = await whoHas(host, address, await deviceOf(host, spare.address));
      if (other === undefined) return { differs: [] };
      const who = `the computer with MAC address ${other} uses ${address}`;
      return { differs: [`${who}, and may be the old jumphost; disconnect it`] };
    },
  };
}

/**
 * Takes over the name, address and SSH host keys, and restores the old ones unless a new session reaches it as the jumphost. Nobody
 * can reach it as the spare any more.
 *
 * @param about the content of `tookOver`
 */
export function addressStep(takeOver: TakeOver, about: object, guard: Guard): Step {
  const { jumphost, spare, subnet } = takeOver;
  let isConfirmed = false;
  return {
    name: 'address',
    about: `the spare uses the name, address and SSH host keys of ${jumphost.name}`,
    check: async () => ({
      differs: isConfirmed ? [] : [`the spare does not use ${jumphost.address} yet`],
    }),
    async apply(host) {
      const mark = { path: tookOver, content: `${JSON.stringify(about)}\n` };
      const wanted = { address: jumphost.address, previous: spare.address, subnet };
      const statement = takeOver.sign((await host.need(machineScript)).trim());
      const signed = { path: statementFile, content: `${JSON.stringify(statement)}\n` };
      const files = [mark, signed, ...(await names(host, takeOver)), ...(await hostKeys(host))];
      await changeAddress(host, wanted, guard, { files, activate: activation(jumphost.address) });
      isConfirmed = true;
    },
  };
}

/** Also for the rollback, after the mark was removed. */
function activation(address: string): string {
  return `if [ -e ${tookOver} ]; then
  # Neighbours cache the old MAC address for a while.
  ${probeFile} "$device" ${shellWord(address)} announce || true
fi
hostname -F /etc/hostname
systemctl reload ssh.service`;
}

async function names(host: Host, { jumphost, spare }: TakeOver): Promise<FileContent[]> {
  const own = (await host.need('cat /proc/sys/kernel/hostname')).trim();
  const text = (await host.read('/etc/hosts')) ?? '';
  const hosts = text
    .replaceAll(word(spare.address), jumphost.address)
    .replaceAll(word(own), jumphost.name);
  return [
    ...(hosts === text ? [] : [{ path: '/etc/hosts', content: hosts }]),
    { path: '/etc/hostname', content: `${jumphost.name}\n` },
  ];
}

/** Not as a part of a longer one. */
function word(text: string): RegExp {
  return new RegExp(`(?<![\\w.:-])${text.replaceAll('.', '\\.')}(?![\\w.:-])`, 'g');
}

/** From the copy; if it contains none, the spare keeps its own. */
export async function hostKeys(host: Host): Promise<FileContent[]> {
  // A line break in a name would begin another path.
  const names = "-name 'ssh_host_*' ! -name '*[!0-9A-Za-z_.-]*'";
  const found = linesOf(
    await host.need(
      `cd ${staged} 2>/dev/null || exit 0; find etc/ssh -maxdepth 1 -type f ${names} 2>/dev/null | sort`,
    ),
  );
  const keys = found.map(async (path) => ({
    path: `/${path}`,
    content: (await host.read(`${staged}/${path}`)) ?? '',
    mode: path.endsWith('.pub') ? 0o644 : 0o600,
  }));
  return await Promise.all(keys);
}

/**
 * The cluster stores the password of the jumphost's node, which was on the old jumphost's disk. k3s rejects every computer with
 * a different one, so the old password is deleted if the copy does not contain it.
 * Source: docs.k3s.io, Node Registration.
 */
export function nodePasswordStep(jumphost: string): Step {
  const secret = `-n kube-system secret ${shellWord(`${jumphost}.node-password.k3s`)}`;
  return {
    name: 'node-password',
    about: "the cluster accepts the jumphost's node",
    check: async (host) => ({
      differs: linesOf(
        await host.need(
          `journalctl -u k3s.service -b -n 200 -o cat --no-pager 2>/dev/null | grep -q 'Node password rejected' && [ ! -e /run/skolo-steps/node-password ] && echo 'the cluster rejects the node, because its password was on the old disk'; true`,
        ),
      ),
    }),
    async apply(host) {
      await host.need(
        `k3s kubectl delete --ignore-not-found ${secret} && systemctl restart k3s.service && mkdir -p /run/skolo-steps && touch /run/skolo-steps/node-password`,
        { deadlineMs: 600_000 },
      );
    },
  };
}
