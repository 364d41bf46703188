/** The configuration of a ProCurve: one in the shape of a real one, with a secret of each kind, and how it is printed. */
import type { LineSettings } from './line-cli.ts';
import type { LineStyle } from './line-configuration.ts';

export const procurveStyle: LineStyle = {
  indent: 3,
  sections: [/^interface /, /^vlan \d+$/, /^router \w+$/, /^policy /],
  single: ['hostname', 'name', 'banner motd', 'ip default-gateway'],
  sectionEnd: 'exit',
  comment: /^;/,
  freeText: (line) => (/^banner motd "[^"]*$/.test(line) ? /"$/ : undefined),
};

export const procurveExample = `hostname "procurve-1"
module 1 type j9773a
include-credentials
password manager user-name "admin" sha1 "5ec2e70011223344556677889900aabbccddeeff"
password operator sha1 "5ec2e7ffeeddccbbaa0099887766554433221100"
console idle-timeout 300
fault-finder broadcast-storm sensitivity medium
timesync sntp
sntp unicast
sntp authentication
sntp authentication key-id 1 authentication-mode md5 key-value "S3cretSntp" trusted
sntp server priority 1 192.168.1.1
time daylight-time-rule western-europe
radius-server key "S3cretRadiusOfAll"
radius-server host 10.0.0.6 key "S3cretRadius"
radius-server host 10.0.0.8 encrypted-key "S3cretRadiusEncrypted"
tacacs-server host 10.0.0.5 key "S3cretTacacs"
tacacs-server key "S3cretTacacsOfAll"
key-chain "ospf" key 1 key-string "S3cretKeyString"
ip default-gateway 192.168.1.1
ip ssh filetransfer
interface 1
   name "to skia-rpi2-rack4-shelf1-001"
   exit
interface 2
   name "to skia-rpi2-rack4-shelf1-002"
   power-over-ethernet critical
   exit
interface 28
   name "uplink # not a comment"
   exit
snmp-server community "S3cretCommunity" unrestricted
snmp-server community "S3cretRead" operator restricted
snmp-server contact "ann@example.com" location "rack 4"
snmp-server host 10.0.0.7 community "S3cretTrapCommunity" trap-level not-info
snmpv3 enable
snmpv3 user "skolo" auth sha "S3cretSnmpAuth" priv aes "S3cretSnmpPriv"
aaa authentication ssh login public-key
aaa port-access supplicant 28 identity "switch" secret "S3cretSupplicant"
router ospf
   area backbone
   exit
vlan 1
   name "DEFAULT_VLAN"
   no untagged 1-24
   untagged 25-28
   ip address dhcp-bootp
   exit
vlan 10
   name "phones"
   untagged 1-24
   tagged 28
   no ip address
   ip ospf 10.10.0.5 authentication-key "S3cretOspf"
   exit
no tftp server
no autorun
`;

const header = `; J9773A Configuration Editor; Created on release #YA.16.11.0005
; Ver #14:01.4f.f8.1d.9b.3f.bf.bb.ef.7c.59.fc.6b.fb.9f.fc.ff.ff.37.ef:05

`;

/** `show running-config`. Lines that a fault adds come in a banner, where they are printed as they are. */
export function procurveRunning(settings: LineSettings, added: readonly string[]): string {
  const banner =
    added.length === 0 ? '' : ['banner motd "Authorized use only', ...added, '"', ''].join('\n');
  const text = settings.running.print().replace(/^(?=interface )/m, () => banner);
  return `\nRunning configuration:\n\n${header}${text}\n`;
}

/** `show config`. */
export function procurveStartup({ saved }: LineSettings): string {
  return `\nStartup configuration: 1\n\n${header}${saved?.text ?? ''}\n`;
}
