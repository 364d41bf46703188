/**
 * The ssh side of the network management card of an APC rack PDU: a command line, `apc>`, and `config.ini`, which is fetched and
 * put by scp. What is put is merged: keys of sections that are there, and nothing else; it takes the card a moment, and
 * an event in its log says how it went.
 *
 * Sources: APC's "Network Management Card 2 User Guide", chapter "How to Export Configuration Settings" (sections, keys,
 * `Override`, what is not exported), and its "Command Line Interface Guide" (`about`, E000); the file of a card that
 * Oxidized's tests have (header, sections). Passwords, SNMPv3 phrases and certificates are not in it.
 */
import { OutletBoard } from '../device.ts';
import { type ConfiguredDevice, Core } from './core.ts';
import type { CliModel, CliOptions } from './model.ts';
import { scp } from './scp.ts';
import { startCliDevice } from './start.ts';
import type { Terminal } from './terminal.ts';
import { encodeText } from './text-bytes.ts';
import { noFiles } from './unix-model.ts';

export interface ApcCardOptions extends CliOptions {
  /** Of the rack PDU: of the first generation (AP7900), or of the second (AP8900); `rpdu2` when absent. */
  generation?: 'rpdu' | 'rpdu2';
}

type Section = Map<string, string>;

const applications = {
  rpdu: ['Network Management Card AOS v3.9.2', 'Rack PDU APP v3.9.2'],
  rpdu2: ['Network Management Card AOS v6.8.2', 'Rack PDU 2G APP v6.8.0'],
} as const;

export const apcCardExample = `[NetworkTCP/IP]
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

export async function startApcCard(options: ApcCardOptions): Promise<ConfiguredDevice> {
  const { generation = 'rpdu2' } = options;
  const core = new Core({
    board: new OutletBoard([]),
    ...options,
    configurationWords: { error: 'E101: Command Not Found\n' },
  });
  let sections = parse(apcCardExample);
  const running = () => composed(sections, applications[generation], core.addedLines());
  async function copy(terminal: Terminal, command: string): Promise<number> {
    const args = command.split(' ').slice(1);
    const box = {
      motd: '',
      prompt: '',
      programs: {},
      files: {
        ...noFiles,
        list: () => ['config.ini'],
        read: (path: string) => (isConfiguration(path) ? running() : undefined),
        write(path: string, text: string) {
          if (!isConfiguration(path)) return false;
          terminal.session.act(() => {
            sections = merged(sections, parse(text));
          });
          return true;
        },
        isConfiguration,
      },
    };
    const { status = 0 } = await scp({ args, env: {}, stdin: undefined, terminal, box, parent: 1 });
    return status;
  }
  const model: CliModel = {
    name: generation === 'rpdu' ? 'apc-rpdu' : 'apc-rpdu2',
    core,
    ident: 'cryptlib',
    signIn: ['publickey', 'password', 'keyboard-interactive'],
    words: {
      before: '',
      user: 'User Name : ',
      password: 'Password  : ',
      wrong: '',
      hidden: 'stars',
      tries: 3,
    },
    screen: (pty) => ({
      width: 0,
      overflow: 'wrap',
      interactive: pty !== undefined,
      newline: pty ? '\r\n' : '\n',
    }),
    shell: (terminal) => talk(terminal, applications[generation]),
    async exec(terminal, command) {
      if (command.startsWith('scp ')) return await copy(terminal, command);
      await terminal.answer('E101: Command Not Found\n');
      return 1;
    },
    powerUp: () => undefined,
  };
  const device = await startCliDevice(model, { maxSessions: 1, ...options });
  const shown = () => encodeText(running());
  return { ...device, running: shown, startup: shown };
}

function isConfiguration(path: string): boolean {
  return path.replace(/^(?:\.?\/)?|^(['"])(.*)\1$/g, '$2') === 'config.ini';
}

function parse(text: string): Map<string, Section> {
  const sections = new Map<string, Section>();
  let section: Section = new Map();
  for (const line of text.split(/\r?\n/)) {
    const [, heading] = /^\[(.*)\]$/.exec(line) ?? [];
    if (heading !== undefined) {
      section = new Map();
      sections.set(heading, section);
    }
    const [, key, value] = /^([^;=]+)=(.*)$/.exec(line) ?? [];
    if (key !== undefined) section.set(key, value ?? '');
    else if (line.startsWith(';')) section.set(line, '');
  }
  return sections;
}

/** Keys of `from` in the place of those that are there. */
function merged(into: Map<string, Section>, from: Map<string, Section>): Map<string, Section> {
  return new Map(
    [...into].map(([heading, section]) => {
      const given = from.get(heading) ?? new Map<string, string>();
      return [heading, new Map([...section].map(([key, value]) => [key, given.get(key) ?? value]))];
    }),
  );
}

function composed(
  sections: Map<string, Section>,
  [system, application]: readonly [string, string],
  added: readonly string[],
): string {
  const [date, time] = new Date().toISOString().replace(/\..*$/, '').split('T');
  const head = `; Schneider Electric\n; ${system}\n; ${application}\n; (c) 2019 Schneider Electric. All rights reserved.\n; Configuration file, generated on ${date} at ${time} by Administrator apc\n`;
  const comments = added.map((line) => `; ${line}\n`).join('');
  const body = [...sections].map(([heading, section]) => {
    const lines = [...section].map(([key, value]) =>
      key.startsWith(';') ? `${key}\n` : `${key}=${value}\n`,
    );
    return `\n[${heading}]\n${lines.join('')}`;
  });
  return `${head}${comments}${body.join('')}`;
}

async function talk(terminal: Terminal, [system, application]: readonly [string, string]) {
  await terminal.greet(
    `\n\nSchneider Electric                      ${system}\n${application}\n\n`,
    'apc>',
  );
  for (;;) {
    const line = (await terminal.readLine('\napc>')).trim();
    if (line === '') continue;
    terminal.session.tell(line);
    if (/^(?:exit|quit|bye)$/.test(line)) {
      terminal.put('Bye.\n');
      return undefined;
    }
    const about = `E000: Success\nHardware Factory\n---------------\nModel Number: \t\tAP8959\nSerial Number: \t\tZA1234567890\nMAC Address: \t\t28 29 86 00 00 01\n`;
    await terminal.answer(line === 'about' ? about : 'E101: Command Not Found\n');
  }
}
