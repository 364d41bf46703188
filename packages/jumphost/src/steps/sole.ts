/**
 * A computer that was the jumphost, and is started again after a spare has taken its place, does not serve: before it takes its
 * address it asks the network who has it. If somebody does, it has no network, and neither k3s nor our units start.
 */
import { deviceOf, probe, probeFile } from '../address/probe.ts';
import { fileStep } from '../files.ts';
import type { Host } from '../host.ts';
import type { Step } from '../step.ts';

/** This computer has seen the other one. */
const replaced = '/run/skolo-replaced';
const unit = '/etc/systemd/system/skolo-sole.service';

/** What would serve, or make it reachable. */
const dependants = [
  ...['networking', 'systemd-networkd', 'NetworkManager'],
  ...['k3s', 'skolo-stand-in', 'skolo-metadata-server', 'skolo-power-cycle-daemon'],
];

/** @param address of the jumphost; with IPv6 nothing is installed */
export function soleStep(address: string): Step {
  const wanted = async (host: Host) => step(await deviceOf(host, address), address);
  return {
    name: 'sole',
    about: `it does not serve where another computer has ${address}`,
    async check(host) {
      if (address.includes(':')) return { differs: [], note: 'not with IPv6' };
      return await (await wanted(host)).check(host);
    },
    async apply(host) {
      await (await wanted(host)).apply?.(host);
    },
  };
}

function step(device: string, address: string): Step {
  return fileStep({
    name: 'sole',
    about: '',
    files: [
      { path: probeFile, content: probe, mode: 0o755 },
      { path: unit, content: unitText(device, address) },
      ...dependants.map((name) => ({
        path: `/etc/systemd/system/${name}.service.d/skolo-sole.conf`,
        content: '[Unit]\nRequires=skolo-sole.service\nAfter=skolo-sole.service\n',
      })),
    ],
    activate: 'systemctl daemon-reload && systemctl enable --quiet skolo-sole.service',
    verify: `systemctl is-enabled -q skolo-sole.service 2>/dev/null || echo 'skolo-sole.service does not start with the computer'`,
  });
}

function unitText(device: string, address: string): string {
  return `# Written by \`skolo jumphost prepare\`.
[Unit]
Description=skolo: no other computer has ${address}
Documentation=https://www.rfc-editor.org/rfc/rfc5227
DefaultDependencies=no
RequiresMountsFor=/usr/local
After=local-fs.target systemd-udevd.service
Wants=network-pre.target
Before=network-pre.target shutdown.target
Conflicts=shutdown.target
[Service]
Type=oneshot
RemainAfterExit=yes
# Without a cable nobody is served, and nothing has to be done before there is one.
ExecStartPre=-/sbin/ip link set dev ${device} up
# A probe that does not work is no reason not to serve: only an answer is.
# Until the next start also where the other one is gone for a moment.
ExecStart=/bin/sh -c '[ ! -e ${replaced} ] || exit 1; ${probeFile} ${device} ${address} wait; [ $$? = 3 ] || exit 0; touch ${replaced}; echo "another computer has ${address}: a spare has taken the place of this one, which does not serve"; exit 1'
StandardOutput=journal+console
[Install]
WantedBy=sysinit.target
`;
}
