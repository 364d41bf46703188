/**
 * Commands as the references of vendors have them: Cisco IOS (Security, VPDN, MPLS, EIGRP, SNMP, EEM, Wireless), NX-OS, Arista EOS,
 * Juniper Junos, Huawei VRP, HPE Comware and ArubaOS-Switch, Dell OS, Fortinet FortiOS, MikroTik, VyOS, FRR, Extreme.
 */
import { describe, expect, it } from 'vitest';
import { createMask } from './mask.ts';

const mask = createMask(Buffer.from('a key for tests'));

/** `«…»` must be masked, and nothing else. */
const commands = `
enable secret 9 «$9$CANARY»
enable secret level 7 5 «$1$CANARY»
enable password «CANARY»
username admin privilege 15 password 7 «CANARY»
username admin algorithm-type sha256 secret «CANARY»
l2tp tunnel password 7 «CANARY»
 digest secret 0 «CANARY» hash MD5
mpls ldp neighbor 139.27.0.15 password «CANARY»
mpls ldp neighbor vrf vpn1 4.4.4.4 password 7 «CANARY»
mpls ldp password option 6 for 10 «CANARY»
mpls ldp vrf vpn1 password fallback 7 «CANARY»
cts sxp default password 7 «CANARY»
cts credentials id SW1 password «CANARY»
cts sxp default key-chain PLAIN
  authentication mode hmac-sha-256 7 «CANARY»
  authentication mode hmac-sha-256 «CANARY»
parser view first
 secret 5 «$1$CANARY»
ap dot1x username cisco password 0 «CANARY»
event manager environment _password «CANARY»
event manager environment _smtp_pass «CANARY»
event manager environment _api_key «CANARY»
event manager environment _email_server mailer:«CANARY»@mail.example.com
snmp-server community «CANARY» RO 10
snmp-server host 10.0.0.7 version 2c «CANARY»
snmp-server user me group v3 auth sha «CANARYCANARY» priv aes 128 «CANARYCANARY»
crypto isakmp key 6 «CANARY» address 10.0.0.8
 pre-shared-key address 0.0.0.0 0.0.0.0 key «CANARY»
  pre-shared-key local 6 «CANARY»
key config-key password-encrypt «CANARY»
 key-string 7 «CANARY»
 ip ospf message-digest-key 1 md5 7 «CANARY»
 ip ospf authentication-key «CANARY»
 area 0 authentication key-chain PLAIN
 neighbor 10.0.0.1 password 7 «CANARY»
ntp authentication-key 1 md5 «CANARY» 7
tacacs-server host 10.0.0.5 key 7 «CANARY»
radius-server key «CANARY»
 client 10.0.0.5 server-key 7 «CANARY»
 security wpa akm psk set-key ascii 0 «CANARY»
 wpa-psk ascii 0 «CANARY»
 isis password «CANARY» level-1
 ppp pap sent-username me password 0 «CANARY»
vtp password «CANARY»
ip ftp password 7 «CANARY»
 standby 1 authentication md5 key-string «CANARY»
username ann secret sha512 «$6$CANARY»
   neighbor spines password 7 «CANARY»
set system root-authentication encrypted-password "«$6$CANARY»"
set security ike policy p pre-shared-key ascii-text "«$9$CANARY»"
    authentication-key "«$9$CANARY»"; ## SECRET-DATA
snmp-agent community read cipher «CANARY»
 local-user admin password irreversible-cipher «CANARY»
 super password level 3 cipher «CANARY»
 dldp authentication-password simple «CANARY»
    set passwd ENC «CANARY»
    set psksecret ENC «CANARY»
    set auth-pwd ENC «CANARY»
add name=x password=«CANARY» service=l2tp
set service dhcp-server shared-key «CANARY»
set vpn l2tp remote-access ipsec-settings authentication pre-shared-secret '«CANARY»'
  password «CANARY»
ip rip authentication string «CANARY»
snmp-server community-map «CANARY» context x
username admin «"CANARY with blanks"» rw
username admin «CANARY» ro
enable 0 «CANARY»
syscon address 10.0.0.9 «CANARY»
 sap pmk «0123456789abcdef0123456789abcdef»
enable super-user-password «CANARY with blanks»
 pin cipher «%^%#CANARY"x%^%#»
 authentication username bob password 7 «CANARY»
 set aggressive-mode password «CANARY»
#private-encryption-key=«CANARY==»
snmp-server user admin network-admin auth md5 «CANARYCANARY» priv des «CANARYCANARY» localizedkey
ipv6 ospf authentication ipsec spi 500 md5 «0123456789abcdef0123456789abcdef»
event manager environment _slack https://hooks.slack.com/services/T0000/B0000/«CANARYabcdefghij12345678»
radius-server host 10.0.0.6 encrypted-key "«CANARY»"
snmp mib community-map «CANARY» engineid 8000
 encryption key 1 size 128bit 7 «CANARY» transmit-key
 encryption vlan 10 key 2 size 40bit «CANARY»
 snmp-agent usm-user v3 me authentication-mode sha cipher «CANARY»
 snmp-agent usm-user v3 me group cipher authentication-mode sha «CANARY» privacy-mode aes128 «CANARY»
 snmp-agent target-host trap address udp-domain 10.0.0.7 params securityname cipher «CANARY» v2c
 ospf authentication-mode md5 1 cipher «CANARY»
 vrrp vrid 1 authentication-mode md5 «CANARY»
ntp-service authentication-keyid 1 authentication-mode hmac-sha256 cipher «CANARY»
configure account admin encrypted «"CANARY"»
create account admin me encrypted «"CANARY"»
configure snmpv3 add user me authentication md5 hex «CA:NA:RY» privacy aes 128 hex «CA:NA:RY»
set snmp community-string «CANARY»
<snmp-community-string>«CANARY»</snmp-community-string>
<rocommunity>«CANARY»</rocommunity>
<authpwd>«CANARY»</authpwd>
<proxypass>«CANARY»</proxypass>
rocommunity «CANARY default»
rwcommunity6 «CANARY»
com2sec local default «CANARY»
trap2sink 10.0.0.7 «CANARY»
createUser me SHA «"CANARY"» AES «CANARY»
createUser -e 0x80 me MD5 «CANARY» DES
trapsess -v 3 -u me -a SHA -A «CANARY» -x AES -X «CANARY» 10.0.0.7
MONITOR ups@localhost 1 upsmon «CANARY» primary
requirepass «CANARY»
masterauth «CANARY»
SSHPASS=«CANARY»
`;

/** Names that are not secrets, although they contain one of the words. */
const plain = `
service password-encryption
security passwords min-length 8
password encryption aes
mpls ldp password required for 10
cts sxp connection peer 10.0.0.1 password default mode local
key chain eigrp
 key 1
crypto key generate rsa modulus 2048
 neighbor 10.0.0.2 send-community both
 set community 65000:100 additive
ip community-list standard PLAIN permit 65000:100
ip bgp-community new-format
 description the password is on the wall
 neighbor 10.0.0.2 description gets its password by mail
access-list 10 remark secret door
snmp-server location password safe, room 4
ip ssh pubkey-chain
 ssh public-key AAAAB3NzaC1yc2E
aaa authentication login default group tacacs+ local
 10:37:49 up 2 days
username bob privilege 15
username bob nopassword
username bob sshkey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA
ntp server 192.168.1.1 key 1
ntp server 192.168.1.1 prefer key 1
 mka pre-shared-key key-chain K
crypto key import rsa x
%sudo ALL=(ALL) NOPASSWD: /usr/sbin/reboot
password	requisite			pam_deny.so
password	include		su
password	[success=1 default=ignore]	pam_unix.so obscure yescrypt
passwd:         files systemd
mac address-table static 0011.2233.4455 vlan 10 interface Gi1/0/1
ntp authentication key-id 1 authentication-mode md5
 authentication-mode scheme
 authentication-mode aaa
snmp-server enable traps bypass
agentaddress udp:161
rouser me authPriv
monitor session 1 source interface Gi1/0/1
`;

const linesOf = (text: string) => text.trim().split('\n');

describe('what is secret in most configurations', () => {
  it('is tried with sixty commands', () => {
    expect(linesOf(commands).length).toBeGreaterThanOrEqual(60);
  });

  it.each(linesOf(commands))('is masked, and nothing else: %s', (command) => {
    const masked = mask.text(command.replace(/[«»]/g, ''), []);

    expect(masked.replace(/<secret [0-9a-f]{12}>/g, '«»')).toBe(command.replace(/«[^»]*»/g, '«»'));
  });

  it.each(linesOf(plain))('is not there: %s', (line) => {
    expect(mask.text(line, [])).toBe(line);
  });
});
