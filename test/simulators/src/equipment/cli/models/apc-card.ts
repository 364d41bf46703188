/**
 * The ssh side of the network management card of an APC rack PDU: a command line, `apc>`, and `config.ini`, which is fetched and
 * put by scp. What is put stays as it is; a real card takes over the keys that it knows.
 *
 * Sources: APC's "Network Management Card 2 User Guide", chapter "How to Export Configuration Settings" (sections, keys,
 * `Override`, what is not exported), and its "Command Line Interface Guide" (`about`, E000); the file of a card that
 * Oxidized's tests have (header, sections). Passwords, SNMPv3 phrases and certificates are not in it.
 *
 * No recording: its state matters, because its file is replaced, and sessions are counted.
 */
import type { ConfiguredDevice } from '../core.ts';
import type { CliOptions } from '../model.ts';
import type { Run, SwitchModel } from '../switch/model.ts';
import { type Switch, startSwitch } from '../switch/switch.ts';
import { memoryFiles } from '../unix/shell-files.ts';

export interface ApcCardOptions extends CliOptions {
  /** Of the rack PDU: of the first generation (AP7900), or of the second (AP8900); `rpdu2` when absent. */
  generation?: 'rpdu' | 'rpdu2';
}

const applications = {
  rpdu: ['Network Management Card AOS v3.9.2', 'Rack PDU APP v3.9.2'],
  rpdu2: ['Network Management Card AOS v6.8.2', 'Rack PDU 2G APP v6.8.0'],
} as const;

const apcCardExample = `[NetworkTCP/IP]
Override=28 29 86 00 00 01
SystemIP=192.168.1.30
SubnetMask=255.255.255.0
DefaultGateway=192.168.1.1
IPv4=enabled
BootMode=Manual
HostName=pdu-1
DomainName=example.com
PortSpeed=Auto

[NetworkDNS]
PrimaryDNSServerIP=192.168.1.1
SecondaryDNSServerIP=0.0.0.0

[NetworkSNMP]
Access=enabled
AccessControl1Community=S3cretRead
AccessControl1NMS=0.0.0.0
AccessControl1AccessType=Read
AccessControl2Community=S3cretWrite
AccessControl2NMS=192.168.1.8
AccessControl2AccessType=Write
TrapReceiver1NMS=10.0.0.7
TrapReceiver1Community=S3cretTrap

[NetworkSNMPv3]
Access=enabled
UserProfile1Name=skolo
UserProfile1AuthProtocol=SHA
UserProfile1PrivProtocol=AES

[NetworkEmail]
Recipient1Address=ann@example.com
SMTPAuthUser=rack4
SMTPAuthPassword=S3cretMail

[SystemUserManager]
RADIUSPrimaryServer=10.0.0.6
RADIUSPrimaryServerSecret=S3cretRadius

[SystemID]
Name=pdu-1
Contact=ann@example.com
Location=rack 4

[PDUOutlets]
Outlet1Name=skia-rpi2-rack4-shelf1-001
Outlet2Name=skia-rpi2-rack4-shelf1-002

[EventActionConfig]
; Network Interface coldstarted.
E0001=ES,E[:::],T[:::::]

[SystemDate]
; To set the date and time, take away the semicolons.
; Date=
; Time=
`;

const about = `E000: Success
Hardware Factory
---------------
Model Number: \t\tAP8959
Serial Number: \t\t{serial}
MAC Address: \t\t28 29 86 00 00 01
`;

const leave: Run = (talk) => {
  talk.isOver = true;
  return 'Bye.\n';
};

const unknown = 'E101: Command Not Found\n';

function modelFor({ generation = 'rpdu2' }: ApcCardOptions): SwitchModel {
  const [system, application] = applications[generation];
  let uploaded: string | undefined;
  let device: Switch | undefined;
  const running = () =>
    uploaded ?? composed(applications[generation], device?.core.addedLines() ?? []);
  return {
    name: generation === 'rpdu' ? 'apc-rpdu' : 'apc-rpdu2',
    ident: 'cryptlib',
    signIn: ['publickey', 'password', 'keyboard-interactive'],
    words: { user: 'User Name : ', password: 'Password  : ', wrong: '', hidden: 'stars' },
    maxSessions: 1,
    screen: (pty) => ({ interactive: pty !== undefined, newline: pty ? '\r\n' : '\n' }),
    greeting: `\n\nSchneider Electric                      ${system}\n${application}\n\n`,
    modes: {
      user: {
        prompt: '\napc>',
        commands: {
          'exit|quit|bye': leave,
          about,
        },
      },
      privileged: { prompt: 'apc>', commands: {} },
    },
    rejections: { invalid: unknown },
    exec: { status: 1, unknown },
    files: memoryFiles({
      files: {
        '/config.ini': {
          read: running,
          write: (text, { session }) =>
            session.act(() => {
              uploaded = text;
            }),
        },
      },
      configuration: ['/config.ini'],
    }),
    hostName: 'apc',
    serial: 'ZA1234567890',
    running: '{configuration}',
    startup: '{configuration}',
    values: { configuration: running },
    logs: { error: unknown },
    boot(started) {
      device = started;
    },
  };
}

export function startApcCard(options: ApcCardOptions): Promise<ConfiguredDevice> {
  return startSwitch(modelFor(options), options);
}

function composed(
  [system, application]: readonly [string, string],
  added: readonly string[],
): string {
  const [date, time] = new Date().toISOString().replace(/\..*$/, '').split('T');
  const head = `; Schneider Electric\n; ${system}\n; ${application}\n; (c) 2019 Schneider Electric. All rights reserved.\n; Configuration file, generated on ${date} at ${time} by Administrator apc\n`;
  const comments = added.map((line) => `; ${line}\n`).join('');
  return `${head}${comments}\n${apcCardExample}`;
}
