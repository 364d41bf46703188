/**
 * Common parts of Ubiquiti's small Linux devices: their whole configuration is one file of keys and values. Its size and checksum are read
 * before and after it, so that it is complete and consistent.
 */
import { createHash } from 'node:crypto';
import { AnswerCut, type DeviceConnection, DeviceRejected } from '@skolo/equipment/transports';
import type {
  BackupModel,
  Content,
  Reading,
  RestoreAbout,
  RestoreStep,
  SecretRule,
} from '../../contract/backup.ts';
import { copyToDevice, onDevice, onWorkstation } from '../command-line/restore-lines.ts';
import { plainText, quoted } from '../command-line/text-reading.ts';
import { Optional } from '../optional.ts';

const file = '/tmp/system.cfg';
const board = '/etc/board.info';

/** Before a key pattern; no key is that long. */
const begin = '^(?=[^=]{1,300}=)';
const hidden = 'password|passwd|passphrase|psk|secret|authkey|token';

const secrets: readonly SecretRule[] = [
  // users.1.password, aaa.1.wpa.psk, aaa.1.radius.auth.1.secret, mgmt.authkey, mgmt.cloud_pass
  new RegExp(
    String.raw`${begin}(?!sshd\.auth\.passwd=)[^=]*(?:(?:${hidden})\w*|[._]pass)(?:\.\d+)?=(.+)`,
    'i',
  ),
  // unifi.key, switch.wevent.key, aaa.1.iapp_key; not sshd.auth.key.1.value, which is public
  new RegExp(String.raw`${begin}[^=]*[._]key\d*(?:\.\d+)?=(.+)`, 'i'),
  // switch.snmp.community, snmp.community.1.name
  new RegExp(String.raw`${begin}(?![^=]*\.status=)[^=]*community[^=]*=(.+)`, 'i'),
  // unms.uri=wss://ADDRESS:443+KEY+allowUntrustedCertificate
  /^unms\.uri=[^+]*\+([^+]+)/,
];

interface SystemCfg {
  /** Prefix of the keys of a complete one: `users`. */
  areas: readonly string[];
  volatile: readonly RegExp[];
  /** For people, after the title of the first step. */
  warning: string;
  /** ssh options that the device requires. */
  scp?: string;
  /** The last step, which activates it. */
  activate: RestoreStep;
}

export function systemCfgBackup({
  areas,
  volatile,
  warning,
  scp,
  activate,
}: SystemCfg): BackupModel {
  return {
    format: 'text',
    read,
    verifiedBy: 'transfer',
    incomplete: (content) => incomplete(content, areas),
    volatile,
    secrets,
    restore: {
      comment: '#',
      steps: (content, about) => [...put(content, about, warning, scp), activate],
    },
  };
}

/** @throws DeviceError AnswerCut: the received content differs from the device's */
async function read(connection: DeviceConnection): Promise<Reading> {
  const { name } = connection.device;
  const before = await measure(connection);
  const bytes = await connection.exec(`cat ${file}`);
  const after = await measure(connection);
  if (before.said !== after.said) {
    throw new AnswerCut(name, `${file} changed while it was being read`);
  }
  if (bytes.length !== before.size) {
    throw new AnswerCut(
      name,
      `${file} has ${before.size} bytes, but ${bytes.length} bytes were received`,
    );
  }
  const { digest } = before;
  if (digest !== undefined && digest !== digestOf(bytes, digest)) {
    throw new AnswerCut(name, `the received copy of ${file} has a different checksum`);
  }
  const optional = new Optional(connection);
  const shown = await optional.ask(() => connection.exec(`cat ${board}`));
  const info = shown?.toString('latin1') ?? '';
  const address = /^board\.hwaddr=([\dA-F:]+)$/im.exec(info)?.[1];
  const hostname = /^resolv\.host\.1\.name=(\S+)/m.exec(bytes.toString())?.[1];
  // Its label has no colons, and no other number.
  const serial = address?.replaceAll(':', '').toUpperCase();
  return { content: { bytes }, identity: { serial, hostname }, unseen: optional.unseen };
}

interface Measured {
  said: string;
  size: number;
  /** SHA-256 or MD5 in hex. Undefined: its BusyBox has neither. */
  digest: string | undefined;
}

async function measure(connection: DeviceConnection): Promise<Measured> {
  const command = `wc -c ${file} && (sha256sum ${file} || md5sum ${file} || true)`;
  const said = (await connection.exec(command)).toString('latin1');
  const [, size, digest] =
    /^\s*(\d+) \S+\s+(?:([\da-f]{64}|[\da-f]{32}) .+\s*)?$/.exec(said.slice(0, 1000)) ?? [];
  if (size === undefined) {
    const what = `did not report the size of ${file}: ${quoted(said.trim())}`;
    throw new DeviceRejected(connection.device.name, what);
  }
  return { said, size: Number(size), digest };
}

function digestOf(bytes: Buffer, { length }: string): string {
  const algorithm = length === 64 ? 'sha256' : 'md5';
  return createHash(algorithm).update(bytes).digest('hex');
}

function incomplete(content: Content, areas: readonly string[]): string | undefined {
  const text = plainText(content);
  const missing = areas.find((area) => !`\n${text}`.includes(`\n${area}.`));
  if (missing !== undefined)
    return `the configuration does not contain a key that starts with "${missing}."`;
  return text.endsWith('\n') ? undefined : 'the last line is incomplete';
}

/** Writes it to the file and to flash, but only if it is complete; this does not activate it. */
function put(content: Buffer, about: RestoreAbout, warning: string, scp = ''): RestoreStep[] {
  const user = /^users\.1\.name=([\w.-]+)$/m.exec(content.toString('latin1'))?.[1] ?? 'ubnt';
  const [here, there, previous] = [
    `${about.device.name}.cfg`,
    '/tmp/version.cfg',
    '/tmp/previous.cfg',
  ];
  const hash = createHash('md5').update(content).digest('hex');
  return [
    onWorkstation(
      `Get the version from ${about.time}, and copy it to the equipment; if it is new, the user is ubnt. ${warning}`,
      copyToDevice(about, { file: here, to: there, user, options: scp }),
    ),
    onDevice(
      `Save the current configuration in ${previous}. The second command installs the version and writes it to flash, but only if the copy is complete. If the command does not report that the configuration was stored, flash was not changed`,
      [
        `cat ${file} > ${previous}`,
        `md5sum ${there} | grep ${hash} && cat ${there} > ${file} && cfgmtd -w -p /etc/`,
        `rm ${there}`,
      ],
    ),
  ];
}
