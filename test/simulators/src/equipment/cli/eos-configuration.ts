/** The configuration of an Arista switch: one in the shape of a real one, with a secret of each kind, and how it is printed. */
import { ctime, type LineSettings } from './line-cli.ts';
import type { LineStyle } from './line-configuration.ts';

export const eosStyle: LineStyle = {
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
  single: ['hostname', 'name', 'description', 'ip address', 'banner motd', 'banner login'],
  separator: '!',
  comment: /^!/,
  freeText: (line) => (/^banner (?:motd|login)$/.test(line) ? /^EOF$/ : undefined),
};

export const eosExample = `no aaa root
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

const hardware = 'DCS-7050SX3-48YC8, EOS-4.29.2F';

/** `show running-config`. Lines that a fault adds come in a banner, where they are printed as they are. */
export function eosRunning(settings: LineSettings, added: readonly string[]): string {
  const name = settings.running.value('hostname') ?? 'localhost';
  const banner =
    added.length === 0
      ? ''
      : ['banner motd', 'Authorized use only', ...added, 'EOF', '!', ''].join('\n');
  const text = settings.running.print().replace(/^(?=interface )/m, () => banner);
  return `! Command: show running-config\n! Time: ${ctime(new Date())}\n! device: ${name} (${hardware})\n!\n! boot system flash:/EOS-4.29.2F.swi\n!\n${text}!\nend\n`;
}

/** `show startup-config`. */
export function eosStartup({ running, saved, savedAt }: LineSettings): string {
  if (saved === undefined) return '% There is no startup-config\n';
  const name = running.value('hostname') ?? 'localhost';
  return `! Command: show startup-config\n! Startup-config last modified at ${ctime(savedAt)} by ${saved.by}\n! device: ${name} (${hardware})\n!\n! boot system flash:/EOS-4.29.2F.swi\n!\n${saved.text}!\nend\n`;
}
