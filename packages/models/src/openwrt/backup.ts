/**
 * OpenWrt routers and switches: the files that `sysupgrade` would keep, as one archive.
 *
 * Tried with: its simulator only; its archives are read by GNU tar.
 * rack.yaml: `router: { model: openwrt, address: 192.168.1.1, login: routers }`; the account root.
 * Oddities: the archive comes with checksums and an end of its own, so nothing can be missing; its times are left out, as they are
 * never the same. More files are named in /etc/sysupgrade.conf. Packages that were installed are not in it.
 * Source: OpenWrt's /sbin/sysupgrade, and "Backup and restore" of its user guide.
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { AnswerCut, type DeviceConnection, DeviceRefused } from '@skolo/equipment';
import { memberBytes, readTar, tarFault } from '../configuration/archive.ts';
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
import { fetchVersion, portOption } from '../families/command-line/restore-lines.ts';
import { quoted } from '../families/command-line/text-reading.ts';

const command = 'sysupgrade -b -';
const gzipMark = Buffer.from([0x1f, 0x8b]);
/** Its flash is smaller. */
const largest = 256 * 1024 * 1024;
const systemFile = 'etc/config/system';

const secrets: readonly SecretRule[] = [
  {
    from: /^===== .*(?:\.key|_key|\.secrets|\/(?:chap|pap|ppp)-secrets)"?, file/,
    until: /^===== /,
  },
  // `option private_key '…'`, `list sae_password '…'`
  /^\s*(?:option|list) (?!public_?key\b)\w*(?:key\d?|passw(?:or)?d|passphrase|secret|psk|pin|token|community) (?:'([^']*)'|"([^"]*)"|(\S+))/i,
  // Roaming: two addresses, and the key.
  /^\s*(?:option|list) r[01]kh '[^',]*,[^',]*,([^']*)'/,
  // shadow(5)
  /^[\w.-]+:!{0,2}([^:!*\s][^:\s]{9,}):\d*:/,
  /\s-u '?[^:\s']+:([^'\s]+)/,
];

export function backup(): BackupModel {
  return {
    format: 'tar',
    read,
    proof: 'transfer',
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
    throw new DeviceRefused(name, `answers ${quoted(command)} with no archive: ${quoted(said)}`);
  }
  const bytes = await normalised(name, packed);
  return { content: { bytes }, identity: { hostname: hostnameIn({ bytes }) } };
}

/** The same files are the same bytes. */
async function normalised(device: string, packed: Buffer): Promise<Buffer> {
  try {
    const bytes = await promisify(gunzip)(packed, { maxOutputLength: largest });
    return await tarOf(membersToWrite({ bytes }));
  } catch (error) {
    const isCut = error instanceof BackupError || (error instanceof Error && 'code' in error);
    if (!isCut) throw error;
    const what = `the archive of ${quoted(command)} is not whole: ${error.message}`;
    throw new AnswerCut(device, what, { cause: error });
  }
}

function hostnameIn(content: Content): string | undefined {
  const member = readTar(content).find(({ name }) => name === systemFile);
  const text = member === undefined ? '' : memberBytes(content, member).toString();
  return /^[ \t]*option hostname ['"]?([^'"\s]+)/m.exec(text)?.[1];
}

function incomplete(content: Content): string | undefined {
  return tarFault(content, (members) =>
    members.some(({ name }) => name === systemFile) ? undefined : `/${systemFile} is not in it`,
  );
}

function steps(_content: Buffer, { device, id }: RestoreAbout): RestoreStep[] {
  const { name, address = name } = device;
  const ssh = `ssh ${portOption(device, '-p')}root@${address}`;
  return [
    {
      title:
        'Get the version, and let sysupgrade unpack it over what is there. Packages that its configuration is of have to be installed first; files that are not in it stay',
      where: 'desk',
      lines: [
        fetchVersion({ device, id }, `${name}.tar`),
        `gzip -n -c ${name}.tar | ${ssh} 'sysupgrade -r -'`,
      ],
    },
    { title: 'Start it with that', where: 'desk', lines: [`${ssh} reboot`] },
  ];
}
