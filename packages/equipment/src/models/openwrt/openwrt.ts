/**
 * OpenWrt switch with realtek-poe: ports are turned off and on by `ubus`, over ssh.
 *
 *     switch-4: { model: openwrt, address: 192.168.1.61, login: openwrt, portCount: 8 }
 *     logins: { openwrt: { username: root, privateKey: secrets/id_ed25519 } }
 *
 * Verified with: our simulator, which OpenSSH has also connected to. Independent software that speaks to this daemon: none.
 *
 * Versions of the daemon before 2025 report status 12 for commands that succeeded: only the reading shows it. On some hardware the daemon
 * reports `unknown` for every port: then nothing can be verified, and nothing is guessed (its issue 10).
 *
 * Source: realtek-poe, src/main.c (`ubus_poe_info_cb`, `ubus_poe_manage_cb`).
 */

import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import {
  AnswerCut,
  type DeviceConnection,
  DeviceRejected,
  readJson,
} from '@skolo/equipment/transports';
import { z } from 'zod';
import { memberBytes, readSmallTar, tarFault } from '../configuration/archive.ts';
import { membersToWrite, tarOf } from '../configuration/archive-write.ts';
import { BackupError } from '../configuration/errors.ts';
import type {
  BackupModel,
  Content,
  Reading,
  RestoreAbout,
  RestoreStep,
  SecretRule,
} from '../contract/backup.ts';
import type { Device } from '../contract/device.ts';
import {
  type DriverDeps,
  driverKind,
  type OutletDriver,
  type OutletReading,
} from '../contract/outlets.ts';
import { askExtent, type ExtentQuestion } from '../families/command-line/extent.ts';
import { fetchVersion, onWorkstation, portOption } from '../families/command-line/restore-lines.ts';
import { outputOf, shellOf } from '../families/command-line/session.ts';
import { quoted } from '../families/command-line/text-reading.ts';
import { Optional } from '../families/optional.ts';
import { dnsmasqLeases, linuxConnectedHosts } from '../families/unix/linux-connected-hosts.ts';
import { unneeded } from '../families/unneeded.ts';

export const outlets = driverKind({ model: 'openwrt', automaticRepair: false, create });

const Port = z.object({ status: z.string(), consumption: unneeded(z.number()) });
const Info = z.object({ ports: z.record(z.string(), unneeded(Port)) });

/** UBUS_STATUS_PARSE_ERROR and similar, in an answer, not in the request. */
const answerNotParsed = 12;
const infoCommand = 'ubus call poe info';

function create(device: Device, deps: DriverDeps): OutletDriver<string> {
  const { name } = device;
  const use = shellOf(device, deps);

  return {
    key: (outlet) => outlet,
    async read(_ports, signal) {
      const text = await use((shell) => outputOf(shell, infoCommand), signal);
      const { ports } = readJson(name, text, Info, 'the PoE ports');
      return (port) => {
        const status = Object.hasOwn(ports, port) ? ports[port] : undefined;
        if (status === undefined) throw new DeviceRejected(name, `${port} has no PoE`);
        return readingOf(status);
      };
    },
    async set(port, state, signal) {
      const message = JSON.stringify({ port, enable: state === 'on' });
      const command = `ubus call poe manage '${message}'`;
      await use((shell) => outputOf(shell, command, answerNotParsed), signal);
    },
  };
}

const onWithoutPower = new Set(['Searching', 'Requesting power', 'Test']);
const faults = new Set(['Fault', 'Other fault']);

function readingOf({ status, consumption: watts }: z.infer<typeof Port>): OutletReading {
  if (status === 'Disabled') return { state: 'off', delivering: false, watts };
  if (status === 'Delivering power') return { state: 'on', delivering: true, watts };
  if (onWithoutPower.has(status)) return { state: 'on', delivering: false, watts };
  if (faults.has(status)) return { state: 'on', delivering: false, fault: status, watts };
  return { state: 'unknown' };
}

/**
 * OpenWrt routers and switches: the files that `sysupgrade` would keep, as one archive.
 *
 * Verified with: its simulator only; its archives are read by GNU tar.
 * rack.yaml: `router: { model: openwrt, address: 192.168.1.1, login: routers }`; the account root.
 * Quirks: the archive comes with checksums and an end of its own, so nothing can be missing; its times are omitted, because they always
 * differ. /etc/sysupgrade.conf names additional files. Installed packages are not included.
 * Source: OpenWrt's /sbin/sysupgrade, and "Backup and restore" of its user guide.
 */

const command = 'sysupgrade -b -';
const gzipMark = Buffer.from([0x1f, 0x8b]);
/** Unpacked: it is compared in memory. */
const largest = 4 * 1024 * 1024;
const systemFile = 'etc/config/system';

const secrets: readonly SecretRule[] = [
  // `option private_key '…'`, `list sae_password '…'`
  /^\s*(?:option|list) (?!public_?key\b)\w*(?:key\d?|passw(?:or)?d|passphrase|secret|psk|pin(?:code)?|puk|token|community) (\S.*)/i,
  // Roaming: two addresses and the key.
  /^\s*(?:option|list) r[01]kh '[^',]*,[^',]*,([^']*)'/,
  // shadow(5)
  /^[\w.-]+:!{0,2}([^:!*\s][^:\s]{9,}):\d*:/,
];

export function backup(): BackupModel {
  return {
    format: 'tar',
    read,
    verifiedBy: 'transfer',
    incomplete,
    volatile: [],
    secrets,
    restore: { comment: '#', steps },
  };
}

async function read(connection: DeviceConnection): Promise<Reading> {
  const { name } = connection.device;
  const packed = await connection.exec(command);
  if (packed.length > 0 && !packed.subarray(0, 2).equals(gzipMark)) {
    const said = packed.subarray(0, 200).toString('latin1').trim().split('\n')[0] ?? '';
    throw new DeviceRejected(name, `returned no archive for ${quoted(command)}: ${quoted(said)}`);
  }
  const bytes = await normalised(name, packed);
  const optional = new Optional(connection);
  const ask = (command: string) => connection.exec(command);
  const extent = await askExtent(connection, questions, ask, optional);
  const { unseen } = optional;
  return { content: { bytes }, identity: { hostname: hostnameIn(bytes) }, extent, unseen };
}

/** sysupgrade leaves out directories that another user cannot read. */
const questions: readonly ExtentQuestion[] = [
  { command: 'id -u', whole: /^0$/gm, part: /^(\d+)$/gm, why: 'the login has user ID $1' },
];

/** The same files always produce the same bytes. */
async function normalised(device: string, packed: Buffer): Promise<Buffer> {
  try {
    const bytes = await promisify(gunzip)(packed, { maxOutputLength: largest });
    return await tarOf(await membersToWrite({ bytes }));
  } catch (error) {
    const isCut = error instanceof BackupError || (error instanceof Error && 'code' in error);
    if (!isCut) throw error;
    const what = `the output of ${quoted(command)} cannot be used: ${error.message}`;
    throw new AnswerCut(device, what, { cause: error });
  }
}

function hostnameIn(bytes: Buffer): string | undefined {
  const member = readSmallTar(bytes).find(({ name }) => name === systemFile);
  const text = member === undefined ? '' : memberBytes({ bytes }, member).toString();
  return /^[ \t]*option hostname ['"]?([^'"\s]+)/m.exec(text)?.[1];
}

function incomplete(content: Content): Promise<string | undefined> {
  return tarFault(content, (members) =>
    members.some(({ name }) => name === systemFile)
      ? undefined
      : `the archive does not contain /${systemFile}`,
  );
}

function steps(_content: Buffer, { device, id }: RestoreAbout): RestoreStep[] {
  const { name, address = name } = device;
  const ssh = `ssh ${portOption(device, '-p')}root@${address}`;
  return [
    onWorkstation(
      'Install the packages that the version configures. Then get the version, and let sysupgrade unpack it over the current files. Other files are kept',
      [
        fetchVersion({ device, id }, `${name}.tar`),
        `gzip -n -c ${name}.tar | ${ssh} 'sysupgrade -r -'`,
      ],
    ),
    onWorkstation('Reboot the router', [`${ssh} reboot`]),
  ];
}

/** OpenWrt, with leases of dnsmasq: see families/unix/linux-connected-hosts.ts. */
export const connectedHosts = linuxConnectedHosts([dnsmasqLeases('/tmp/dhcp.leases')]);
