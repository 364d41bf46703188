/**
 * Prevents two computers from acting as the jumphost if the old one is started again after a spare has replaced it, or if both start
 * together. Before the network is up, a gate determines whether this one is the jumphost. From then on, a guard serves its statement
 * (services/fallback/src/active.ts).
 */

import { parseJson } from '@skolo/base';
import {
  isSigned,
  machineScript,
  rackKeyFile,
  Statement,
  statementFile,
} from '@skolo/rack/jumphost';
import { fileStep, type Host, type Step, withLines, writtenHead } from '@skolo/setup/engine';
import { deviceOf, probe, probeFile } from '../address/probe.ts';

const units = '/etc/systemd/system';
const program = '/usr/bin/node /opt/skolo/packages/fallback/dist/active.js';

/** Units that would serve requests or make it reachable. */
const dependants = [
  ...['networking', 'systemd-networkd', 'NetworkManager'],
  ...['k3s', 'skolo-fallback', 'skolo-metadata-server', 'skolo-power-cycle-daemon'],
];

interface ActiveNeeds {
  rack: string;
  /** Of the jumphost. */
  address: string;
  /** The rack's public key, PEM. @throws CliError The store has none. */
  rackKey(): Promise<string>;
}

export function activeStep(needs: ActiveNeeds): Step {
  const { address } = needs;
  const wanted = async (host: Host) =>
    step(needs, await needs.rackKey(), await deviceOf(host, address));
  return {
    name: 'active',
    about: `only one computer acts as the jumphost and uses ${address}`,
    async check(host) {
      const found = await (await wanted(host)).check(host);
      const lines = await statementInEffect(host, needs);
      return withLines(found, lines.join('\n'));
    },
    async apply(host) {
      await (await wanted(host)).apply?.(host);
    },
  };
}

function step({ rack, address }: ActiveNeeds, rackKey: string, device: string): Step {
  const place = `--rack ${rack} --address ${address} --device ${device}`;
  return fileStep({
    name: 'active',
    about: '',
    files: [
      { path: probeFile, content: probe, mode: 0o755 },
      { path: rackKeyFile, content: rackKey },
      { path: `${units}/skolo-active.service`, content: gateText(place, device, address) },
      { path: `${units}/skolo-active-guard.service`, content: guardText(place) },
      ...dependants.map((name) => ({
        path: `${units}/${name}.service.d/skolo-active.conf`,
        content: '[Unit]\nRequires=skolo-active.service\nAfter=skolo-active.service\n',
      })),
    ],
    activate: `systemctl daemon-reload
systemctl enable --quiet skolo-active.service skolo-active-guard.service
systemctl restart skolo-active-guard.service`,
    verify: `for each in skolo-active.service skolo-active-guard.service; do
  systemctl is-enabled -q "$each" 2>/dev/null || echo "$each does not start at boot"
done
ip -6 -o address show dev ${device} scope link | grep -q . || echo '${device} has no link-local IPv6 address, so other jumphosts cannot query this one; enable IPv6 on it'`,
  });
}

function gateText(place: string, device: string, address: string): string {
  return `${writtenHead}[Unit]
Description=skolo: this computer is the jumphost
Documentation=file:/opt/skolo/deploy/systemd/README.md
DefaultDependencies=no
RequiresMountsFor=/usr/local /opt/skolo /var/lib
After=local-fs.target systemd-udevd.service
Wants=network-pre.target
Before=network-pre.target shutdown.target
Conflicts=shutdown.target
[Service]
Type=oneshot
RemainAfterExit=yes
# Without a cable there are no clients, so the gate can wait for one. If the program fails, only another computer with the address prevents the start.
ExecStart=/bin/sh -c '${program} gate ${place}; code=$$?; [ $$code != 0 ] || exit 0; [ $$code != 3 ] || exit 1; ${probeFile} ${device} ${address} wait; [ $$? != 3 ]'
StandardOutput=journal+console
[Install]
WantedBy=sysinit.target
`;
}

function guardText(place: string): string {
  return `${writtenHead}[Unit]
Description=skolo: serve the statement of this jumphost until another one replaces it
Documentation=file:/opt/skolo/deploy/systemd/README.md
# Not Requires: this program stops the gate, and that stops every unit that requires the gate.
After=skolo-active.service
StartLimitIntervalSec=0
[Service]
ExecStart=${program} guard ${place}
Restart=always
RestartSec=5
# Another computer is the jumphost, and everything is released.
RestartPreventExitStatus=3
[Install]
WantedBy=multi-user.target
`;
}

/** @returns lines, as `withLines` reads them. A jumphost that has not replaced another one has no statement. */
async function statementInEffect(host: Host, { rack, rackKey }: ActiveNeeds): Promise<string[]> {
  const text = await host.read(statementFile);
  if (text === undefined) return [];
  const { data } = Statement.safeParse(parseJson(text));
  const machine = (await host.need(machineScript)).trim();
  const isOwn = data?.rack === rack && data.machine === machine;
  if (isOwn && isSigned(data, await rackKey())) return [];
  const why =
    data === undefined
      ? 'damaged'
      : isOwn
        ? 'not signed with the rack key'
        : 'of another rack or computer';
  return [
    `by hand: ${statementFile} is ${why}, so a jumphost that this computer has replaced would become active again; restore the file from a backup, or delete it if this computer has never replaced a jumphost`,
  ];
}
