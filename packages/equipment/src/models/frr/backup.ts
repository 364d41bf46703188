/**
 * FRRouting. The account's shell is vtysh, or one that may run `vtysh`; if neither can run commands, its command line is used.
 *
 * Verified with: FRR 8.4.4 (Debian 12) behind OpenSSH 9.2.
 * rack.yaml: `router: { model: frr, address: 192.168.1.1, login: routers }`; the account is in group `frrvty`.
 * Quirks: vtysh does not show the saved configuration, which is read from /etc/frr/frr.conf if there is a shell. The host name is that of
 * the system or of the daemons' own files: no command sets it for good. Route maps are shown in the order in which FRR received them.
 * Source: FRR user manual 8.4, "VTY shell" and "Basic Setup"; watchfrr.c.
 */
import type { DeviceConnection } from '@skolo/equipment/transports';
import type {
  BackupModel,
  Content,
  Reading,
  RestoreAbout,
  RestoreStep,
} from '../contract/backup.ts';
import { extentIn, type Says } from '../families/command-line/extent.ts';
import { hereDocument, onDevice } from '../families/command-line/restore-lines.ts';
import { Optional } from '../families/optional.ts';
import { changesBetween } from './changes.ts';
import {
  configurationFault,
  firstHostname,
  parseConfiguration,
  settable,
} from './configuration.ts';
import { apply, check, fileOf } from './restore.ts';
import { openVtysh, type Vtysh } from './vtysh.ts';

const file = '/etc/frr/frr.conf';

export function backup(): BackupModel {
  return {
    format: 'text',
    verifiedBy: 'mark',
    read,
    incomplete,
    volatile: [],
    secrets: [],
    // By hand, all lines are typed into a shell.
    restore: { comment: '#', steps, check, apply },
  };
}

async function read(connection: DeviceConnection): Promise<Reading> {
  const vtysh = await openVtysh(connection);
  const bytes = vtysh.text;
  const hostname = firstHostname(bytes.toString());
  const optional = new Optional(connection);
  const said = (await optional.ask(vtysh.watched)) ?? '';
  const extent = extentIn(said, watched) ?? (/ Up$/m.test(said) ? 'whole' : 'unknown');
  const startup = await optional.ask(() => startupOf(vtysh));
  const { unseen } = optional;
  return { content: { bytes }, identity: { hostname }, startup, extent, unseen };
}

/** vtysh silently leaves out what a daemon that is not up would show. The states are those of watchfrr.c. */
const watched: Says = {
  part: /^ {2}(\S+) +(?:Init|Down|Connecting|Unresponsive)\b/gm,
  why: 'daemons that watchfrr monitors are not running: $1',
};

function incomplete(content: Content): string | undefined {
  if (!('bytes' in content)) return 'the file is too large to be a configuration';
  return configurationFault(content.bytes.toString('latin1'));
}

/** In the form of the running configuration; the same bytes if it has the same content. */
async function startupOf({ shell, text }: Vtysh): Promise<Buffer | undefined> {
  if (shell === undefined) return undefined;
  const said = await shell(`cat ${file} 2>/dev/null && echo end`);
  if (!/^end$/m.test(said)) return undefined;
  const startup = Buffer.from(`Building configuration...\n\nCurrent configuration:\n!\n${said}\n`);
  const [from, to] = [startup, text].map((each) => settable(parseConfiguration(each.toString())));
  return from && to && changesBetween(from, to).length === 0 ? text : startup;
}

/** By hand, the file is replaced: typed lines would only be added to the existing ones. */
function steps(content: Buffer, { id, time, device }: RestoreAbout): RestoreStep[] {
  const lines = fileOf(content).trimEnd().split('\n');
  return [
    onDevice(
      `Open a root shell on ${device.name}, and write the version from ${time} (${id}) to ${file}.new`,
      hereDocument(`${file}.new`, lines),
    ),
    onDevice('Check the file with vtysh, which prints nothing if it accepts every line', [
      `vtysh -C -f ${file}.new`,
    ]),
    onDevice(
      'Install the version, and restart FRR. Lines that are not in the version are removed, and routing is briefly interrupted',
      [
        `[ ! -e ${file} ] || cp -p ${file} ${file}.before`,
        `chown frr:frr ${file}.new`,
        `chmod 640 ${file}.new`,
        `mv ${file}.new ${file}`,
        'systemctl restart frr',
      ],
    ),
    onDevice(
      'Compare the configurations: the only differences should be the lines that vtysh prints before and after the configuration',
      [`vtysh -c 'show running-config' | diff - ${file}`],
    ),
  ];
}
