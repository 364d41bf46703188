/**
 * APC rack PDUs of both generations: `config.ini` of their network management card, by scp.
 *
 * Verified with: its simulator only.
 * rack.yaml: `pdu-1: { model: apc-rpdu2, address: 192.168.1.30, login: pdus, ports: { ssh: 22 } }`; ssh (and with it scp) is enabled on the
 * card, and the login has `username` and `password` of an administrator in addition to `snmp`; old cards require `legacySsh`.
 * Quirks: the card sends the size of the file first, so nothing can be missing. It does not include passwords, SNMPv3 passphrases, keys and
 * certificates. A card supports one session.
 * Source: APC, "Network Management Card 2 User Guide", "How to Export Configuration Settings".
 */
import type { DeviceConnection } from '@skolo/equipment/transports';
import type {
  BackupModel,
  Content,
  Reading,
  RestoreAbout,
  RestoreStep,
  SecretRule,
} from '../contract/backup.ts';
import { copyToDevice, onDevice, onWorkstation } from './command-line/restore-lines.ts';
import { plainText } from './command-line/text-reading.ts';

const file = 'config.ini';

const secrets: readonly SecretRule[] = [
  /^[\w ]*(?:Community|Password|Secret|Phrase|Passphrase|SharedKey)\d* *= *(\S.*)$/i,
];

export function backup(): BackupModel {
  return {
    format: 'text',
    read,
    verifiedBy: 'transfer',
    incomplete,
    volatile: [
      /^; Configuration file, generated on /,
      // If they are not left as comments.
      /^;? ?(?:Date|Time) ?=/,
    ],
    secrets,
    restore: { comment: ';', steps },
  };
}

async function read(connection: DeviceConnection): Promise<Reading> {
  const bytes = await connection.download(file);
  const text = plainText({ bytes });
  const hostname = /^HostName *= *(\S+)/m.exec(text)?.[1];
  return { content: { bytes }, identity: { hostname } };
}

function incomplete(content: Content): string | undefined {
  const text = plainText(content);
  const sections = [...text.matchAll(/^\[([^\]\n]+)\]$/gm)].map(([, name = '']) => name);
  if (!sections.includes('NetworkTCP/IP')) return 'the section [NetworkTCP/IP] is missing';
  // One of these is the last section, depending on the firmware.
  if (!sections.some((name) => /^(?:SystemDate(?:\/Time)?|EventActionConfig)$/.test(name))) {
    return 'the sections [SystemDate] and [EventActionConfig] are missing, so the configuration is truncated';
  }
  return text.endsWith('\n') ? undefined : 'the last line is incomplete';
}

function steps(_content: Buffer, about: RestoreAbout): RestoreStep[] {
  return [
    onWorkstation(
      `Get the version, and copy it to the card, which applies the settings that it supports. On a different card, first change Override in [NetworkTCP/IP] to that card's MAC address; otherwise the card keeps its own address. The version does not contain passwords, SNMPv3 passphrases, keys or certificates, so set these manually`,
      copyToDevice(about, { file, user: 'apc' }),
    ),
    onDevice(
      'Check that the card has applied all settings. The event log shows this after about a minute',
      ['eventlog'],
    ),
  ];
}
