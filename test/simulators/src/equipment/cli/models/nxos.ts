/**
 * Cisco Nexus with NX-OS over ssh, which replays nxos.session: everybody with the role network-admin is privileged from the start, the
 * echo of a line ends in CR CR LF, and a return comes before each prompt. Its configuration has no end mark; the one that it boots with is
 * a copy.
 *
 * Sources: Cisco Nexus 9000 NX-OS Fundamentals Configuration Guide ("Understanding the Command-Line Interface",
 * "Configuration files"); sessions that gnetcli recorded (CR CR LF, the pager and its attributes, the texts of rejections);
 * headers of configurations as Oxidized and RANCID strip them. What the pager sends to disappear is made up: it is
 * what less(1) does.
 */
import type { ReplayingDevice } from '../core.ts';
import { configuration, leave, setPager } from '../switch/commands.ts';
import type { SwitchModel, SwitchOptions } from '../switch/model.ts';
import { replaying } from '../switch/replay.ts';
import { startSwitch } from '../switch/switch.ts';
import { tableCommands } from './host-tables.ts';

export interface NxosOptions extends Omit<SwitchOptions, 'enablePassword'> {
  /** Of who signs in; `network-admin` when absent. */
  roles?: string;
}

const example = `hostname nexus-1
vdc nexus-1 id 1
  limit-resource vlan minimum 16 maximum 4094
  limit-resource vrf minimum 2 maximum 4096
feature nxapi
feature bgp
feature tacacs+
feature interface-vlan
feature hsrp
no password strength-check
username admin password 5 $5$S3cretSalt$S3cretHashOfTheAdministratorOfThisSwitch0  role network-admin
username skolo password 5 $5$S3cretSalt$S3cretHashOfTheOneWhoReadsConfigurations  role network-admin
username skolo sshkey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPublicKeyThatIsNoSecretAtAll000000 skolo@rack4
ip domain-lookup
tacacs-server key 7 "S3cretTacacsOfAll"
tacacs-server host 10.0.0.5 key 7 "S3cretTacacsOfOne" port 49 timeout 5
radius-server host 10.0.0.6 key 7 "S3cretRadius" authentication accounting
aaa group server tacacs+ admins
  server 10.0.0.5
  use-vrf management
crypto key param rsa label nexus-1 modulus 2048
snmp-server contact ann@example.com
snmp-server user skolo network-admin auth md5 0x5ec2e700112233445566778899aabbcc priv 0x5ec2e7ffeeddccbbaa99887766554433 localizedkey
snmp-server host 10.0.0.7 traps version 2c S3cretTrapCommunity
snmp-server host 10.0.0.8 traps version 3 priv skolo
snmp-server community S3cretCommunity group network-operator
rmon event 1 log description FATAL(1) owner PMON@FATAL
ntp server 10.0.0.1 use-vrf management
ntp authentication-key 1 md5 S3cretNtp 7
ntp trusted-key 1
aaa authentication login default group admins
ip route 0.0.0.0/0 192.168.1.1
key chain ospf-keys
  key 1
    key-string 7 S3cretKeyString
vlan 1,10,20
vlan 10
  name phones
vlan 20
  name hosts # not phones
vrf context management
  ip route 0.0.0.0/0 192.168.1.1
interface Vlan10
  no shutdown
  ip address 10.10.0.2/24
  ip ospf authentication-key 7 S3cretOspf
  ip ospf message-digest-key 1 md5 3 S3cretOspfDigest
  hsrp 10
    authentication md5 key-string S3cretHsrp
    ip 10.10.0.1
interface Ethernet1/1
  description to skia-rpi2-rack4-shelf1-001
  switchport access vlan 10
  spanning-tree port type edge
interface Ethernet1/2
  description to skia-rpi2-rack4-shelf1-002
  switchport access vlan 10
  spanning-tree port type edge
interface Ethernet1/48
  description uplink
  switchport mode trunk
interface mgmt0
  vrf member management
  ip address 192.168.1.21/24
line console
line vty
  session-limit 16
  exec-timeout 30
boot nxos bootflash:/nxos.9.3.8.bin
router bgp 65001
  router-id 10.0.0.2
  neighbor 10.0.0.1
    remote-as 65000
    password 3 S3cretBgp
    address-family ipv4 unicast
logging server 10.0.0.9 5 use-vrf management facility local7
logging timestamp milliseconds
`;

const motd = `
Cisco Nexus Operating System (NX-OS) Software
TAC support: http://www.cisco.com/tac
Copyright (C) 2002-2021, Cisco and/or its affiliates.
All rights reserved.
`;

const firmware = 'version 9.3(8) Bios:version 07.69\n{text}\n';

const modelFor = ({ roles = 'network-admin' }: NxosOptions): SwitchModel => ({
  name: 'nxos',
  ident: 'OpenSSH_7.7 FIPS Object Module/2.0.14',
  maxSessions: 32,
  words: { before: 'User Access Verification\n' },
  screen: () => ({ repaint: () => '\r\r' }),
  pager: { text: '\x1b[7m--More--\x1b[m', erase: '\r\x1b[K', rows: 23 },
  greeting: motd,
  beforePrompt: '\r',
  hostName: 'switch',
  serial: 'FDO21120ABC',
  firstMode: 'privileged',
  modes: {
    privileged: {
      prompt: '{host}# ',
      commands: {
        exit: leave,
        logout: leave,
        'show running-config': configuration('{running}'),
        'show startup-config': '{startup}',
        ...tableCommands('nxos'),
        'terminal length <lines>': setPager(),
        'terminal width <columns>': '',
        'terminal no monitor-force': '',
        // NX-OS Security Configuration Guide, "Configuring User Accounts and RBAC"; an output in Salt's tests.
        'show user-account <name>': `user:{2}\n        this user account has no expiry date\n        roles:${roles} \n`,
      },
    },
  },
  rejections: {
    invalid: "{marker}% Invalid command at '^' marker.\n",
    incomplete: "{marker}% Incomplete command at '^' marker.\n",
    ambiguous: "% Ambiguous command at '^' marker.\n",
  },
  example,
  running: `\n!Command: show running-config\n!Running configuration last done at: {changed}\n!Time: {now}\n\n${firmware}`,
  startup: `\n!Command: show startup-config\n!Running configuration last done at: {changed}\n!Time: {now}\n!Startup config saved at: {saved}\n\n${firmware}`,
  banner: {
    at: /^(?=interface )/m,
    text: 'banner motd @Authorized use only\n{added}\nThank you@\n\n',
  },
  logs: {
    logLine:
      '2026 Nov 20 10:37:49 nexus-1 %ETHPORT-5-IF_UP: Interface Ethernet1/1 is up in mode access',
    error: '% Permission denied for the role\n',
  },
});

export function startNxos(options: NxosOptions): Promise<ReplayingDevice> {
  return startSwitch(replaying(modelFor(options), /^copy /), options);
}
