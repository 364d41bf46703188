/**
 * Arista switch (EOS) over ssh, which replays eos.session: `enable` that asks for a password only where one is set, a probe of the
 * terminal before the first prompt, and a pager.
 *
 * Sources: Arista EOS User Manual ("Command-Line Interface"); sessions that gnetcli recorded (probe, pager, texts of rejections); headers of
 * configurations as Oxidized and RANCID strip them. What the pager sends to disappear is what less(1) does.
 */
import type { ReplayingDevice } from '../core.ts';
import { configuration, enable, leave, setPager, to } from '../switch/commands.ts';
import type { Commands, SwitchModel, SwitchOptions } from '../switch/model.ts';
import { replaying } from '../switch/replay.ts';
import { startSwitch } from '../switch/switch.ts';
import { tableCommands } from './host-tables.ts';

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

const device = `! device: {host} (DCS-7050SX3-48YC8, EOS-4.29.2F)
!
! boot system flash:/EOS-4.29.2F.swi
!
{text}!
end
`;

const everywhere: Commands = {
  exit: leave,
  logout: leave,
  'terminal length <lines>': setPager({
    off: 'Pagination disabled.\n',
    on: 'Terminal length set to {rows}.\n',
  }),
  'terminal width <columns>': 'Width set to {2} columns.\n',
};

const model: SwitchModel = {
  name: 'eos',
  ident: 'OpenSSH_8.3',
  maxSessions: 50,
  pager: { text: '\x1b[7m --More-- \x1b[27m\x1b[K', erase: '\r\x1b[K', rows: 23 },
  greeting: 'Last login: Fri Nov 20 09:58:01 2026 from 192.168.1.8\n',
  afterGreeting: '\x1b[5n',
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
        'show running-config': configuration('{running}'),
        'show startup-config': '{startup}',
        ...tableCommands('eos'),
        enable: '',
        disable: to('user'),
      },
    },
  },
  rejections: {
    invalid: "% Invalid input (at token {token}: '{word}')\n",
    incomplete: '% Incomplete command\n',
    ambiguous: '% Ambiguous command\n',
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
  },
};

export function startEos(options: SwitchOptions): Promise<ReplayingDevice> {
  return startSwitch(replaying(model, /^write /), options);
}
