/** The configuration of a Nexus: one in the shape of a real one, with a secret of each kind, and how it is printed. */
import { ctime, type LineSettings } from './line-cli.ts';
import type { LineStyle } from './line-configuration.ts';

export const nxosStyle: LineStyle = {
  indent: 2,
  sections: [
    /^interface /,
    /^vlan [\d,-]+$/,
    /^vrf context /,
    /^vdc /,
    /^router /,
    /^line /,
    /^key chain /,
    /^key \d+$/,
    /^neighbor [\d.]+$/,
    /^aaa group server /,
    /^hsrp \d+$/,
  ],
  single: ['hostname', 'name', 'description', 'banner', 'session-limit'],
  separator: '',
  comment: /^!/,
  freeText: (line) => {
    const [, delimiter, rest] = /^banner (?:motd|exec) (\S)(.*)$/.exec(line) ?? [];
    if (delimiter === undefined || rest?.includes(delimiter)) return undefined;
    return new RegExp(`\\${delimiter}$`);
  },
};

export const nxosExample = `hostname nexus-1
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

const version = 'version 9.3(8) Bios:version 07.69\n';

/** `show running-config`. Lines that a fault adds come in a banner, where they are printed as they are. */
export function nxosRunning(settings: LineSettings, added: readonly string[]): string {
  const last = ctime(settings.changedAt);
  return `\n!Command: show running-config\n!Running configuration last done at: ${last}\n!Time: ${ctime(new Date())}\n\n${version}${body(settings.running.print(), added)}\n`;
}

/** `show startup-config`. */
export function nxosStartup({ saved, savedAt, changedAt }: LineSettings): string {
  if (saved === undefined) return 'No startup configuration\n';
  return `\n!Command: show startup-config\n!Running configuration last done at: ${ctime(changedAt)}\n!Time: ${ctime(new Date())}\n!Startup config saved at: ${ctime(savedAt)}\n\n${version}${saved.text}\n`;
}

function body(text: string, added: readonly string[]): string {
  if (added.length === 0) return text;
  const banner = ['banner motd @Authorized use only', ...added, 'Thank you@', ''].join('\n');
  return text.replace(/^(?=interface )/m, () => `${banner}\n`);
}
