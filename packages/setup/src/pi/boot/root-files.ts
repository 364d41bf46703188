/** Files of the running system that are the same for all methods of customisation: settings, clock, k3s agent. */

import { journalFile, sshFile } from '@skolo/setup/debian';
import type { TextFile } from '@skolo/setup/engine';
import { agentFiles } from '@skolo/setup/k3s';
import type { PiSetup } from '../setup.ts';
import { clock, clockScript, clockUnit, clockUnitText, waitsAlone } from './clock.ts';
import { stateFolder } from './setup-script.ts';

/** Name and address of an enrolled machine. */
export const nameFile = `${stateFolder}/name`;

const head = '# Written by skolo.\n';

export function textFile(path: string, content: string, mode = 0o644): TextFile {
  return { path, content, mode };
}

/** A Raspberry Pi's hardware watchdog supports at most 15 s. */
export const watchdogFile = textFile(
  '/etc/systemd/system.conf.d/90-skolo-watchdog.conf',
  `${head}[Manager]\nRuntimeWatchdogSec=15s\nRebootWatchdogSec=2min\n`,
);
export const swapFile = textFile(
  '/etc/rpi/swap.conf.d/90-skolo.conf',
  `${head}[Main]\nMechanism=none\n`,
);

/** For systemd-timesyncd and chrony, one of which the system uses. */
export function timeFiles(servers: readonly string[]): TextFile[] {
  if (servers.length === 0) return [];
  return [
    textFile(
      '/etc/systemd/timesyncd.conf.d/90-skolo.conf',
      `${head}[Time]\nNTP=${servers.join(' ')}\n`,
    ),
    textFile(
      '/etc/chrony/conf.d/90-skolo.conf',
      `${head}${servers.map((each) => `server ${each} iburst prefer\n`).join('')}makestep 1 3\n`,
    ),
  ];
}

/** @param now when the image is created, before which no Pi boots */
export function rootFiles(setup: PiSetup, now: Date): TextFile[] {
  const { identity, cluster, timeServers, enrolment } = setup;
  const { hostname: name, wired } = identity;
  const server = cluster === undefined ? '' : `${bracketed(cluster.server)}:6443`;
  return [
    textFile('/etc/hosts', hostsOf(setup)),
    journalFile('memory'),
    watchdogFile,
    swapFile,
    sshFile('no'),
    ...timeFiles(timeServers),
    textFile(clockScript, clock, 0o755),
    textFile(
      `/etc/systemd/system/${clockUnit}`,
      clockUnitText(Math.floor(now.getTime() / 1000), server),
    ),
    ...(cluster === undefined
      ? []
      : [
          // With a shared image, the condition below prevents it from starting under this name.
          ...agentFiles({
            machine: { name, ...(wired !== 'dhcp' && { address: wired.address }) },
            server: cluster.server,
          }),
          textFile(
            '/etc/systemd/system/k3s-agent.service.d/50-skolo.conf',
            `${head}[Unit]\nWants=${clockUnit}\nAfter=${clockUnit}\n${waitsAlone}\n${enrolment === undefined ? '' : `ConditionPathExists=${nameFile}\n`}`,
          ),
        ]),
  ];
}

export function hostsOf({
  identity,
  domain,
  hosts,
}: Pick<PiSetup, 'identity' | 'domain' | 'hosts'>): string {
  const { hostname } = identity;
  const own = domain === undefined ? hostname : `${hostname}.${domain} ${hostname}`;
  const isOwn = (line: string) => line.split(/\s+/).includes(hostname);
  return [
    '127.0.0.1 localhost',
    '::1 localhost ip6-localhost ip6-loopback',
    `127.0.1.1 ${own}`,
    ...hosts.filter((line) => !isOwn(line)),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

export function bracketed(server: string): string {
  return server.includes(':') ? `[${server}]` : server;
}
