/**
 * Commands as the references of vendors have them: Cisco IOS (Security, VPDN, MPLS, EIGRP, SNMP, EEM, Wireless), NX-OS, Arista EOS,
 * Juniper Junos, Huawei VRP, HPE Comware and ArubaOS-Switch, Dell OS, Fortinet FortiOS, MikroTik, VyOS, FRR, Extreme.
 */
import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
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

/**
 * Users of SNMPv3 and servers of TACACS+ and RADIUS: IOS, IOS XR, NX-OS, ASA, EOS, AireOS, Small Business, FSOS, Dell OS9, OS10 and N
 * series, ICX, NOS, EXOS, VOSS, AlliedWare Plus, SAOS, FortiOS, PAN-OS, ZyNOS, ArubaOS, AOS-S, AOS-CX, SR OS, VRP, Comware, Junos,
 * ScreenOS, VyOS, Cumulus, SONiC, JetStream, D-Link, Gaia, BIG-IP, net-snmp, and words that no vendor has.
 */
const keys = `
snmp-server user U G v3 auth md5 encrypted «CANARY» priv des56 encrypted «CANARY»
snmp-server user U G v3 auth md5 encrypted «CANARY» priv des56 encrypted «CANARY» SystemOwner
snmp-server user U G v3 auth sha clear «CANARY» priv aes 128 clear «CANARY» IPv4 ACL SystemOwner
snmp-server user U G v3 auth sha encrypted-aes «CANARY» priv 3des encrypted-aes «CANARY»
snmp-server user U G v3 auth SHA «ab1» priv AES 256 «cd2»
SNMP-SERVER USER U G V3 AUTH MD5 «ABC» PRIV DES56 «DEF»
snmp-server user U G v3 auth sha-2 256 «CANARY» priv aes 256 «CANARY» access 10
snmp-server user U G v3 auth sha-512 «CANARY» priv aes-128 «CANARY» access ipv6 LIST 20
snmp-server user U G v3 encrypted auth md5 «aa:bb:cc» priv aes 128 «aa:bb:cc»
snmp-server user U G remote 10.0.0.9 udp-port 162 v3 auth md5 «CANARY» priv 3des «CANARY»
snmp-server user admin network-admin auth md5 «0x12ab» priv «0x12ab» localizedkey engineID 128:0:0:9:3:0
snmp-server user admin network-admin auth sha-256 «0x12ab» priv aes-128 «0x12ab» localizedV2key
snmp-server user u g v3 localized f5717f00 auth sha «12ab» priv aes «12ab»
snmp-server user snmp-nms snmp-nms v3 priv aes256-c auth sha256 7 «77fea4aab efa1f375»
snmp-server user u g 3 auth sha «CANARY» priv aes «CANARY» localized
snmp-server user u g 3 encrypted auth md5 «9fc53d9d» priv des56 «d0452401»
snmp-server user u g auth-md5 «CANARY» priv-des «CANARY»
snmp-server user u g auth-sha512-key «CANARY» priv-aes128-key «CANARY»
snmp-server user "u" "g" auth-sha «"can ary"» priv-3des «"can ary"»
snmp-server user u g v3 access 2 auth md5 «CANARY» priv des «CANARY»
snmp-server user u g v3 encrypted auth md5 «ab8e9cd6» priv encrypted des «0e1b1533»
snmp-server user u groupname g auth md5 auth-password «"CANARY"» priv AES128 priv-password «"CANARY"» encrypted
configure snmpv3 add user u authentication sha auth-encrypted localized-key «23:14:ab» privacy aes 128 privacy-encrypted localized-key «23:14:ab»
configure snmpv3 add user "u" engine-id 80:00 authentication md5 «CANARY» privacy «CANARY»
snmp-server user u group g sha «"CANARY"» aes «"CANARY"»
snmp-server user u md5 «CANARY» des «CANARY» read-view v
snmp-server user u g encrypted auth md5 «0x1c74b9c2» priv aes «0x1c74b9c2»
snmp user create user u auth-protocol md5 auth-secret «CANARY»
    set auth-pwd ENC «CANARY»
    set priv-pwd ENC «CANARY»
set deviceconfig system snmp-setting access-setting version v3 users u authpwd «CANARY»
set deviceconfig system snmp-setting access-setting version v3 users u privpwd «CANARY»
snmp-server username u sec-level priv auth md5 «CANARY» priv des «CANARY» group admin
snmp-server username u sec-level priv auth sha cipher «CANARY» priv aes cipher «CANARY» group admin
snmpv3 user "u" auth md5 «"CANARY"» priv des «"CANARY"»
snmpv3 user "u" auth sha «"CANARY"» priv «"CANARY"»
snmp-server user u auth-prot sha «CANARY» priv-prot AES «CANARY»
snmpv3 user u auth sha auth-pass ciphertext «CANARY» priv aes priv-pass ciphertext «CANARY»
snmpv3 user u auth sha auth-pass plaintext «CANARY» priv des priv-pass plaintext «CANARY» access-level ro
snmpv3 user u auth sha256 auth-pass ciphertext «CANARY» priv aes256 priv-pass ciphertext «CANARY»
                snmp authentication hash2 md5 «CANARY» privacy des-key «CANARY»
    authentication hash hmac-md5-96 «CANARY» privacy cfb128-aes-128 «CANARY»
    authentication-key «"CANARY" hash2»
set snmp v3 usm local-engine user u authentication-sha authentication-key «"$9$CANARY"»
set snmp v3 usm local-engine user u privacy-aes128 privacy-password «"CANARY"»
 snmp-agent usm-user v3 u authentication-mode md5 cipher «%^%#CANARY%^%#»
 snmp-agent usm-user v3 u privacy-mode aes128 cipher «%^%#CANARY%^%#»
 snmp-agent usm-user v3 u g authentication-mode md5 «CANARY» privacy-mode des56 «CANARY»
 snmp-agent usm-user v3 u g simple authentication-mode sha «CANARY» privacy-mode 3des «CANARY» acl 2000
 snmp-agent usm-user v3 u user-role network-admin cipher authentication-mode sha «$c$3$CANARY» privacy-mode aes256 «$c$3$CANARY»
 snmp-agent remote-user u v3 authentication-mode sha2-256 localized cipher «CANARY»
 rip authentication-mode md5 «rfc2453 CANARY»
nv set service snmp-server username u auth-md5 «CANARY» encrypt-aes «CANARY»
createUser u SHA-256 «CANARY» AES-128 «CANARY»
createUser u SHA-512 «-l 0x12ab» AES «-l 0x12ab»
set snmp user u authentication md5 «CANARY» privacy «CANARY»
 neighbor 10.0.0.1 authentication md5 encrypted «CANARY»
snmp-server user u g v3 auth md5 «newword CANARY» priv des56 «newword CANARY»
snmp-server user u g v3 auth md5 5 «CANARY» priv des 5 «CANARY»
snmp-server user u g v3 auth md5 0 «CANARY» priv aes128 8 «CANARY»
snmp-server user u g v3 auth md5 plaintext «CANARY» priv aes hex «CANARY»
snmp-server user u g v3 auth md5 «12» priv des «34»
snmp-server user u g v3 auth md5 «encrypted» priv des «cipher»
set service snmp v3 user u auth plaintext-password '«CANARY»'
set service snmp v3 user u privacy encrypted-password '«CANARY»'
set protocols ospf interface eth0 authentication md5 key-id 1 md5-key «'CANARY'»
            authentication md5 1 key «"$9$CANARY"; ## SECRET-DATA»
standby 1 authentication md5 key-string 7 «CANARY» timeout 30
vrrp 1 authentication md5 key-string «CANARY»
ipv6 ospf encryption ipsec spi 500 esp aes-cbc 128 «0123456789abcdef0123456789abcdef» sha1 «0123456789abcdef0123456789abcdef01234567»
ipv6 ospf encryption ipsec spi 500 esp aes-cbc 256 7 «0123456789abcdef0123456789abcdef» sha1 7 «0123456789abcdef0123456789abcdef01234567»
tacacs-server host 10.0.0.5 port 49 key 7 «CANARY»
tacacs-server host 10.0.0.5 port 49 timeout 5 key encrypted «CANARY»
tacacs-server host 10.0.0.5 key ciphertext «CANARY»
tacacs-server host 10.0.0.5 key plaintext «CANARY» vrf mgmt
tacacs-server host 10.0.0.5 key 9 «CANARY»
radius-server host 10.0.0.5 key ciphertext «CANARY» vrf mgmt
radius-server host 10.0.0.5 auth-port 1812 acct-port 1813 default key 2 «$CANARY»
radius-server host 10.0.0.5 auth-port 1812 acct-port 1813 default key «CANARY dot1x»
radius-server host 10.0.0.5 encrypted-key "«CANARY»"
radius-server key 2 «$CANARY»
radius-server key 7 "«CANARY»"
radius-server host auth 10.0.0.5 name "x" usage authmgr key 7 «CANARY»
tacacs-server key encrypted «CANARY»
 primary authentication 10.0.0.5 key cipher «$c$3$CANARY»
 key «authentication cipher $c$3$CANARY»
 key «accounting simple CANARY»
hwtacacs-server shared-key cipher «%^%#CANARY%^%#»
radius-server shared-key cipher «%^%#CANARY%^%#»
radius-server authorization 10.0.0.5 shared-key cipher «%^%#CANARY%^%#»
 hwtacacs server shared-key cipher «CANARY»
configure radius mgmt-access primary shared-secret encrypted "«#$CANARY»"
configure tacacs primary shared-secret encrypted "«#$CANARY»"
radius server host 10.0.0.5 key «CANARY used-by cli»
radius add server 10.0.0.5 secret «#CANARY»
tacacs set key «#CANARY»
    set secret ENC «CANARY»
    set key ENC «CANARY»
set shared server-profile radius r server s secret «CANARY»
set shared server-profile tacplus r server s secret «CANARY»
radius-server host 1 10.0.0.5 auth-port 1812 key cipher «CANARY»
 key "«CANARY»"
   key «3b1f2c»
            server 1 address 10.0.0.5 secret «"CANARY" hash2»
            radius server 1 10.0.0.5 secret «CANARY hash2»
 key 7 «CANARY»
 key «*****»
set system tacplus-server 10.0.0.5 secret "«$9$CANARY»"
set access radius-server 10.0.0.5 secret "«$9$CANARY»"
set system radius-server 10.0.0.5 preauthentication-secret "«$9$CANARY»"
radius-server host 10.0.0.5 key 0 «CANARY mgmt»
username admin password encrypted «CANARY»
user admin group administrators password ciphertext «CANARY»
   exec /usr/bin/TerminAttr -cvcompression=gzip -cvaddr=10.0.0.5:9910 -cvauth=key,«CANARY» -cvvrf=default -taillogs
   exec /usr/bin/TerminAttr -ingestauth=key,«CANARY» -smashexcludes=ale
<otp_seed>«CANARY»</otp_seed>
<hmackey>«CANARY»</hmackey>
hmackey «CANARY»
config snmp v3user create u rw hmacsha «aescfb128 CANARY CANARY»
encrypted snmp-server user u g v3 auth sha-1 «CANARY» priv «CANARY»
snmp-server user u local g smode v3 slev authPriv cmode MD5 «cpwd CANARY emode» DES «epwd CANARY»
create snmp user u g encrypted by_password auth md5 «CANARY» priv des «CANARY»
set snmpv3 user "u" auth md5 «CANARY» priv des «CANARY»
add snmp usm user u security-level authPriv auth-pass-phrase-hashed «CANARY privacy-pass-phrase-hashed CANARY» privacy-protocol AES authentication-protocol SHA256
            auth-password-encrypted «$M$CANARY»
            privacy-password-encrypted "«$M$CANARY»"
snmp-server user u group g encrypted auth-type sha auth-password «CANARY» priv-type aes-128 priv-password «CANARY»
snmp-server user u v3 encrypted auth sha «0x12» priv aes-128 «0x12»
  message-digest-key 1 md5 encrypted «CANARY»
key-string password «104D000A0618»
snmp-server host 10.7.32.31 trap version v2c community «CANARY»
snmp-server host 10.1.2.3 «trapsecret»
snmp-server host 10.1.2.3 traps version 2c «versionX»
snmpv3 user "u" auth «"CANARY"» priv «"CANARY"»
snmp-server user u g v3 auth «CANARY» priv «CANARY»
snmp-server user u sec-level priv auth md5 «CANARY»
usmUser 1 3 0x«80001f888012345678» "me" "me" NULL .1.3.6.1.6.3.10.1.1.3 0x«0123456789abcdef» .1.3.6.1.6.3.10.1.2.4 0x«0123456789abcdef» ""
snmp-server user u g v3 auth md5 «aes CANARY»
snmp-server user u g v3 auth md5 «priv CANARY»
snmp-server user u g v3 auth «tripledes CANARY» priv 3desede «CANARY»
snmp-server user u g v3 auth usmHMACMD5AuthProtocol «CANARY» priv usmAesCfb128Protocol «CANARY»
snmp-server user u g v3 authpriv md5 «CANARY» des «CANARY»
snmp-agent usm-user v3 u g authpriv sha cipher «CANARY» aes128 cipher «CANARY»
aaa radius-server "r" host 10.0.0.5 hash-key "«CANARY»"
 server-private 10.0.0.5 key 7 «CANARY»
snmp-server user u g v3 auth md5 «simple» access 10
snmp-server user u g v3 auth sha256 7 «adminsecret CANARY»
snmp-server user ops netops v3 priv aes 192 localized «K3Yaes» auth sha384 localized «K3Ysha»
snmp-server user ops auth sha224 8 «qwe123» priv aes192 8 «rty456» role network-operator
  snmp-server user ops v3 auth md5 hidden «qwe123» priv 3des hidden «rty456»
snmp-server user ops v3 auth md5 cipher-text «qwe123» priv des56 cipher-text «rty456»
snmp-server user ops v3 auth md5 secret 9 «qwe123» priv des56 secret 9 «rty456»
snmp-server user ops v3 auth md5	encrypted	«qwe123»	priv	des56	encrypted	«rty456»
 user ops auth md5 encrypted «qwe123» priv des56 encrypted «rty456»
set snmp v3 usm ops auth sha1 encrypted «qwe123» priv aes encrypted «rty456»
SNMPV3 USER OPS AUTH SHA ENCRYPTED «QWE123» PRIV DES56 ENCRYPTED «RTY456»
snmp-server user ops grp v3 encrypted auth sha «qwe» priv aes256 «rt» acl 12
snmp-server user ops grp v3 auth md5 «a» priv des «b»
snmp-server usm-user ops auth-mode hmac-sha256 encrypted «qwe123» priv-mode aes-cfb-128 encrypted «rty456»
authentication hmac-sha2-384 irreversible-cipher «qwe123»
   privacy aes-256-c3 «qwe123»
  privacy aes256 localized «qwe123»
  auth sha ciphertext «qwe123»
  priv aes ciphertext «qwe123»
ip ospf authentication md5 encrypted «qwe123»
neighbor 10.1.1.1 authentication hmac-sha-256 key 7 «qwe123»
isis authentication md5 7 «qwe123» level-2
 tacacs server t1 key ciphertext «qwe123»
tacacs-server host 10.0.0.1 auth-type pap key cipher «qwe123»
tacacs-server key 5 «qwe123»
radius-server host 10.0.0.1 key localized «qwe123»
radius-server host 10.0.0.1 key simple «qwe123»
radius-server host 10.0.0.1 key-type encrypted key «qwe123»
radius-server host 10.0.0.1 secret encrypted «qwe123»
radius-server host 10.0.0.1 key hex «a1b2c3»
set radius server 10.0.0.1 secret hash «qwe123»
aaa radius server host 10.0.0.1 key plaintext «qwe123»
exec TerminAttr -cvauth=key,"«qwe123»" -x
<user><otp_seed>«ABCDEF»</otp_seed></user>
  <privkey>«ABCDEF»</privkey>
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
aaa-server TAC (inside) host 10.0.0.5
   exec /usr/bin/TerminAttr -cvauth=token,/tmp/token -cvvrf=MGMT
snmp-server host 10.1.2.3 version 3 priv user
snmp-server host 10.1.2.3 informs version 3 auth user
snmp-server group g v3 priv read v
snmp-server group g v3 auth write v
aaa authentication md5 default group radius
aaa authentication dot1x default group user-radius
 encryption aes-256 aes-192 aes
 encr aes 256
encryption aes 256
set security ike proposal p authentication-algorithm sha1
 isis authentication mode md5
authentication-md5 {
privacy-aes128 {
authentication md5 key-chain K
bfd authentication sha-1 keychain K
snmp-server user ops grp v3 auth none priv none
auth SHA256
    auth-sha:
`;

const linesOf = (text: string) => text.trim().split('\n');

describe('what is secret in most configurations', () => {
  it('is tried with sixty commands', () => {
    expect(linesOf(commands).length).toBeGreaterThanOrEqual(60);
  });

  it.each([...linesOf(commands), ...linesOf(keys)])(
    'is masked, and nothing else: %s',
    (command) => {
      const masked = mask.text(command.replace(/[«»]/g, ''), []);

      expect(masked.replace(/<secret [0-9a-f]{12}>/g, '«»')).toBe(
        command.replace(/«[^»]*»/g, '«»'),
      );
    },
  );

  it.each(linesOf(plain))('is not there: %s', (line) => {
    expect(mask.text(line, [])).toBe(line);
  });

  it.each([...linesOf(commands), ...linesOf(keys)])('may be masked again: %s', (command) => {
    const once = mask.text(command.replace(/[«»]/g, ''), []);

    expect(mask.text(once, [])).toBe(once);
  });

  const algorithm = (known: string[], bits: string[]) =>
    fc
      .record({
        name: fc.constantFrom(...known),
        isUpper: fc.boolean(),
        bits: fc.constantFrom('', ...bits),
      })
      .map(({ name, isUpper, bits }) => (isUpper ? name.toUpperCase() : name) + bits);
  const hash = algorithm(['md5', 'sha', 'sha1', 'sha-256', 'hmac-sha2-512', 'sm3'], [' 256']);
  const cipher = algorithm(
    ['des', 'des56', '3des', 'aes', 'aes256-c', 'aes-128', 'cbc-des'],
    [' 128', ' 256'],
  );
  const knownForms = `
encrypted localized ciphertext cipher simple plaintext plain-text hex
0 5 6 7 8 9 key key-string auth-pass priv-password
level ro rw mode id priority port hash address
`;
  const form = fc.oneof(
    fc.constantFrom(...knownForms.trim().split(/\s/)),
    fc.stringMatching(/^[q-z]{1,9}(?:-[q-z]{1,9})?$/),
  );
  const forms = fc.array(form, { maxLength: 3 });
  const secret = fc.stringMatching(/^[A-Z]{2,3}[A-Z0-9$/+.:=_-]{1,20}$/);

  it('are keys behind an algorithm, whatever words are in front of them', () => {
    const half = (word: string, algorithms: typeof hash) =>
      fc.record({ word: fc.constant(word), algorithm: algorithms, forms, secret });
    const statement = fc.record({
      head: fc.constantFrom(
        'snmp-server user u g v3 ',
        'snmpv3 user "u" ',
        ' usm u ',
        'create snmp u ',
      ),
      halves: fc.tuple(half('auth', hash), half('priv', cipher)),
      end: fc.constantFrom('', ' localizedkey', ' access 10'),
    });
    fc.assert(
      fc.property(statement, ({ head, halves, end }) => {
        const said = halves.map((each) => `${each.word} ${each.algorithm}`);
        const written = halves.map((each, n) =>
          [said[n], ...each.forms, `@${each.secret}@`].join(' '),
        );

        const masked = mask.text(`${head}${written.join(' ')}${end}`, []);

        for (const { secret } of halves) expect(masked).not.toContain(`@${secret}@`);
        for (const words of [head, ...said]) expect(masked).toContain(words);
      }),
      runs(300),
    );
  });

  it('is the key that Cumulus writes as the name of a level', () => {
    const user =
      'u:\n  auth-sha:\n    CANARY:\n      encrypt-aes:\n        CANARY:\n          view: all\n';

    expect(mask.text(user, []).replace(/<secret [0-9a-f]{12}>/g, '«»')).toBe(
      user.replaceAll('CANARY', '«»'),
    );
  });
});
