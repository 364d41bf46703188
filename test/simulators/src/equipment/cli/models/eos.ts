/**
 * Arista switch (EOS) over ssh: `enable` that asks for a password only where one is set, a probe of the terminal before
 * the first prompt, a pager, and configuration sessions, which replace what is active as a whole and undo themselves
 * unless they are confirmed.
 *
 * Sources: Arista EOS User Manual ("Command-Line Interface", "Switch Administration": configuration sessions, `commit
 * timer`, `rollback clean-config`); sessions that gnetcli recorded (probe, pager, texts of rejections); headers of configurations as
 * Oxidized and RANCID strip them. What the pager sends to disappear is what less(1) does.
 */
import type { ConfiguredDevice } from '../core.ts';
import { configuration, enable, leave, save, setPager, to } from '../switch/commands.ts';
import type { Commands, SwitchModel, SwitchOptions } from '../switch/model.ts';
import { startSwitch } from '../switch/switch.ts';
import { sessionCommands, sessionStatements } from './eos-sessions.ts';
import { eosArp, eosMacTable, iosLinks, prints } from './host-tables.ts';

export type EosOptions = SwitchOptions;

const example = `no aaa root
username admin privilege 15 role network-admin secret sha512 $6$S3cretSalt$S3cretHashOfTheAdministrator
username skolo privilege 15 role network-admin secret sha512 $6$S3cretSalt$S3cretHashOfTheReader
username skolo ssh-key ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPublicKeyThatIsNoSecretAtAll000000 skolo@rack4
enable password sha512 $6$S3cretSalt$S3cretHashOfEnable
transceiver qsfp default-mode 4x10G
service routing protocols model multi-agent
hostname arista-1
ip name-server vrf default 192.168.1.1
tacacs-server key 7 S3cretTacacsOfAll
tacacs-server host 10.0.0.5 key 7 S3cretTacacsOfOne
radius-server host 10.0.0.6 key 7 S3cretRadius
aaa group server tacacs+ admins
   server 10.0.0.5
aaa authentication login default group admins local
snmp-server engineID local 6e6f742061207365637265
snmp-server community S3cretCommunity ro
snmp-server community S3cretWriteCommunity rw mgmt-hosts
snmp-server host 10.0.0.7 version 2c S3cretTrapCommunity
snmp-server user skolo readers v3 localized 6e6f74 auth sha S3cretSnmpAuth priv aes S3cretSnmpPriv
ntp authentication-key 1 md5 7 S3cretNtp
ntp server 192.168.1.1 key 1
spanning-tree mode mstp
logging host 10.0.0.9
vlan 10
   name phones
vlan 20
   name hosts # not phones
mac security
   profile uplinks
      key 0001 7 S3cretMacsec
vrf instance MGMT
interface Ethernet1
   description to skia-rpi2-rack4-shelf1-001
   switchport access vlan 10
   spanning-tree portfast
interface Ethernet2
   description to skia-rpi2-rack4-shelf1-002
   switchport access vlan 10
   spanning-tree portfast
interface Ethernet48
   description uplink
   switchport mode trunk
   mac security profile uplinks
interface Management1
   ip address 192.168.1.22/24
interface Vlan10
   ip address 10.10.0.3/24
   ip ospf authentication-key 7 S3cretOspf
   ip ospf message-digest-key 1 md5 7 S3cretOspfDigest
   vrrp 10 peer authentication text S3cretVrrp
   isis authentication key 7 S3cretIsis
ip access-list mgmt-hosts
   10 permit ip 192.168.1.0/24 any
ip routing
ip route 0.0.0.0/0 192.168.1.1
router bgp 65002
   router-id 10.0.0.3
   neighbor 10.0.0.1 remote-as 65000
   neighbor 10.0.0.1 password 7 S3cretBgp
   neighbor spines peer group
   neighbor spines password 7 S3cretBgpGroup
management api http-commands
   no shutdown
management ssh
   idle-timeout 30
`;

const version = `Arista DCS-7050SX3-48YC8-R
Hardware version: 11.03
Serial number: {serial}
Hardware MAC address: 985d.8200.0001
System MAC address: 985d.8200.0001

Software image version: 4.29.2F
Architecture: i686
Internal build version: 4.29.2F-30640700.4292F
Image format version: 3.0
Image optimization: Default

Uptime: 5 weeks, 6 days, 3 hours and 12 minutes
Total memory: 8099732 kB
Free memory: 6104384 kB

`;

const inventory = `System information
  Model                     Description
  ------------------------- ----------------------------------------------------
  DCS-7050SX3-48YC8         48x25GbE SFP+ & 8x100GbE QSFP Switch

  HW Version  Serial Number  Mfg Date   Epoch
  ----------- -------------- ---------- -----
  11.03       {serial14} 2021-05-14 01.00

System has 2 power supply slots
  Slot Model            Serial Number
  ---- ---------------- ----------------
  1    PWR-500AC-F      PSUS3R1ALNUMBER1

`;

const device = `! device: {host} (DCS-7050SX3-48YC8, EOS-4.29.2F)
!
! boot system flash:/EOS-4.29.2F.swi
!
{text}!
end
`;

const saved = save('Copy completed successfully.\n');
const shown: Commands = {
  'show running-config': configuration('{running}'),
  'show startup-config': '{startup}',
  'write memory': saved,
  write: saved,
  'copy running-config startup-config': saved,
  'show mac address-table': prints(eosMacTable),
  'show interfaces status': prints(iosLinks),
  'show ip arp': prints(eosArp),
};
const everywhere: Commands = {
  exit: leave,
  logout: leave,
  'terminal length <lines>': setPager({
    off: 'Pagination disabled.\n',
    on: 'Terminal length set to {rows}.\n',
  }),
  'terminal width <columns>': 'Width set to {2} columns.\n',
  'show version': version,
  'show inventory': inventory,
  'show hostname': 'Hostname: {host}\nFQDN:     {host}\n',
};

const model: SwitchModel = {
  name: 'eos',
  ident: 'OpenSSH_8.3',
  maxSessions: 50,
  pager: { text: '\x1b[7m --More-- \x1b[27m\x1b[K', erase: '\r\x1b[K', rows: 23 },
  greeting: 'Last login: Fri Nov 20 09:58:01 2026 from 192.168.1.8\n',
  afterGreeting: '\x1b[5n',
  freeTextPrompt: '',
  hostName: 'localhost',
  serial: 'SSJ17190123',
  modes: {
    user: {
      prompt: '{host}>',
      commands: {
        ...everywhere,
        enable: enable({
          question: 'Password: ',
          hidden: 'none',
          tries: 3,
          wrong: '% Bad secret\n',
        }),
      },
      rejections: { invalid: '% Invalid input (privileged mode required)\n' },
    },
    privileged: {
      prompt: '{host}#',
      commands: {
        ...everywhere,
        ...shown,
        enable: '',
        disable: to('user'),
        'configure terminal': to('config'),
        configure: to('config'),
        ...sessionCommands,
      },
    },
    config: {
      prompt: '{host}({placeInSession})#',
      configures: true,
      commands: { ...shown, ...sessionStatements },
    },
  },
  places: [
    [/^interface (\D{2})\D*(.*)$/, 'config-if-$1$2'],
    [/^vlan (.*)$/, 'config-vlan-$1'],
    [/^router (\w+).*$/, 'config-router-$1'],
  ],
  rejections: {
    invalid: "% Invalid input (at token {token}: '{word}')\n",
    incomplete: '% Incomplete command\n',
    ambiguous: '% Ambiguous command\n',
  },
  style: {
    indent: 3,
    sections: [
      /^interface /,
      /^vlan [\d,-]+$/,
      /^router /,
      /^vrf instance /,
      /^management /,
      /^ip access-list /,
      /^aaa group server /,
      /^mac security$/,
      /^profile /,
    ],
    single: [
      /^username \S+ (?=privilege|role|secret)/,
      'enable password',
      'hostname',
      'name',
      'description',
      'ip address',
      'banner motd',
      'banner login',
    ],
    separator: '!',
    comment: /^!/,
    freeText: (line) => (/^banner (?:motd|login)$/.test(line) ? /^EOF$/ : undefined),
  },
  accounts: {
    typed: [
      [
        /^(username \S+(?: privilege \d+)?(?: role \S+)? secret) (?:0 )?(?<secret>\S+)$/,
        '$1 sha512 {hash}',
      ],
      [/^(enable password) (?:0 )?(?<secret>\S+)$/, '$1 sha512 {hash}'],
    ],
    user: (name) => new RegExp(`^username ${name} .*\\bsecret `),
    enable: /^enable password /,
  },
  example,
  running: `! Command: show running-config\n! Time: {now}\n${device}`,
  startup: `! Command: show startup-config\n! Startup-config last modified at {saved} by {savedBy}\n${device}`,
  banner: {
    at: /^(?=interface )/m,
    text: 'banner motd\nAuthorized use only\n{added}\nEOF\n!\n',
  },
  logs: {
    logLine:
      'Nov 20 10:37:49 arista-1 Ebra: %LINEPROTO-5-UPDOWN: Line protocol on Interface Ethernet1, changed state to up',
    error: "% Authorization denied for command 'show running-config'\n",
  },
  values: {
    serial14: (it) => it.fill('{serial}').padEnd(14),
    placeInSession: (it, { talk }) =>
      it
        .fill('{place}', {}, talk)
        .replace('config', talk?.candidate ? `config-s-${talk.candidate.name}` : 'config'),
  },
};

export function startEos(options: EosOptions): Promise<ConfiguredDevice> {
  return startSwitch(model, options);
}
