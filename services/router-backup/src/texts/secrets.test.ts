/**
 * Secrets with blanks, quotes, signs, letters of other alphabets and any length, in a configuration of each model: they are in no text,
 * difference (which is what a webhook sends), transcript or error, and the statements around them are there.
 */
import { isLong, seeded } from '@skolo/base/durable/fault-injection';
import { testSeed } from '@skolo/base/testing';
import { models as rackModels } from '@skolo/equipment/models';
import type { SecretRule } from '@skolo/equipment/models/backup';
import { createMask } from '@skolo/equipment/models/configuration';
import { loadBackups } from '@skolo/equipment/models/load';
import { describe, expect, it } from 'vitest';
import { jobs } from './jobs.ts';

interface Syntax {
  /** Statements; `§` is the secret. */
  statements: string;
  /** How a value is written. */
  written(secret: string): string;
  options?: Record<string, unknown>;
}

const plain = (secret: string) => secret;
const escaped = (secret: string) => `"${secret.replace(/["\\$]/g, '\\$&')}"`;
/** Without an escape, the other sort of quotes. */
const inQuotes = (secret: string) => `"${secret.replaceAll('"', "'")}"`;
const inSingleQuotes = (secret: string) => `'${secret.replaceAll("'", "'\\''")}'`;
/** Broken into lines of at most 80 characters. */
const wrapped = (secret: string) => escaped(secret).replace(/.{60}(?=.)/gsu, '$&\\\n    ');

const vyattaFile = `interfaces {
    wireguard wg0 {
        private-key §
        peer P {
            preshared-key §
        }
    }
}
container {
    name c {
        environment API_TOKEN {
            value §
        }
    }
}
service {
    snmp {
        community § {
            authorization "ro"
        }
    }
}
system {
    login {
        radius {
            server 10.0.0.1 {
                key §
            }
        }
        user skolo {
            authentication {
                plaintext-password §
            }
        }
    }
}
vpn {
    ipsec {
        authentication {
            psk P {
                secret §
            }
        }
    }
}`;

const systemCfg = `users.1.password=§
aaa.1.wpa.psk=§
aaa.1.radius.auth.1.secret=§
mgmt.authkey=§
snmp.community.1.name=§
users.1.name=ubnt`;

const syntaxes: Record<string, Syntax> = {
  'cisco-ios': {
    written: plain,
    statements: `enable password §
enable secret 0 §
username bob privilege 15 password 0 §
username bob privilege 15 secret 0 §
radius-server host 10.0.0.1 auth-port 1812 acct-port 1813 key §
tacacs-server key 0 §
tacacs server T
 key §
snmp-server community § RO 10
crypto isakmp key § address 10.0.0.8
key chain c
 key 1
  key-string §
interface Gi1/0/1
 ip ospf authentication-key §
 ip ospf message-digest-key 1 md5 §
 standby 1 authentication md5 key-string §
 standby 2 authentication text §
 ip nhrp authentication §
 ppp chap password 0 §
ldap server L
 bind authenticate root-dn cn=x password 0 §
dot11 ssid s
 wpa-psk ascii 0 §
router bgp 65001
 neighbor 10.0.0.2 password §
event manager environment _slack_token §
line vty 0 4
 password §`,
  },
  nxos: {
    written: inQuotes,
    statements: `username admin password 0 § role network-admin
radius-server host 10.0.0.5 key 0 § authentication accounting
tacacs-server key 7 §
snmp-server community § group network-operator
key chain c
  key 0
    key-string 0 §
interface Ethernet1/1
  ip ospf message-digest-key 1 md5 0 §
router bgp 65001
  neighbor 10.0.0.2
    password 3 §`,
  },
  eos: {
    written: plain,
    statements: `enable password 0 §
username ann privilege 15 role network-admin secret 0 §
radius-server host 10.0.0.5 key 0 §
tacacs-server key 7 §
snmp-server community § ro
ntp authentication-key 1 sha1 §
interface Ethernet1
   ip ospf message-digest-key 1 sha512 0 §
router bgp 65001
   neighbor 10.0.0.2 password 0 §
management security
   ssl profile p`,
  },
  edgeswitch: {
    written: inQuotes,
    statements: `username "ubnt" password § level 15 encrypted override
enable password § encrypted
radius server key auth "10.0.0.5" encrypted §
tacacs-server key §
snmp-server community § ro
line console
password §
exit`,
  },
  procurve: {
    written: inQuotes,
    statements: `password manager user-name "admin" plaintext §
radius-server host 10.0.0.5 key §
radius-server host 10.0.0.6 encrypted-key §
tacacs-server key §
snmp-server community § operator unrestricted
sntp authentication key-id 1 authentication-mode md5 key-value § trusted
key-chain "c" key 1 key-string §`,
  },
  junos: {
    written: escaped,
    statements: `system {
    root-authentication {
        encrypted-password §; ## SECRET-DATA
    }
    radius-server {
        10.0.0.1 secret §; ## SECRET-DATA
    }
    archival {
        configuration {
            archive-sites {
                "scp://me@10.0.0.9/" password §; ## SECRET-DATA
            }
        }
    }
}
snmp {
    community § {
        authorization read-only;
    }
    trap-group § {
        targets {
            10.0.0.7;
        }
    }
}
security {
    ike {
        policy p {
            pre-shared-key ascii-text §; ## SECRET-DATA
        }
    }
}
protocols {
    ospf {
        area 0.0.0.0 {
            interface ge-0/0/0.0 {
                authentication {
                    md5 1 key §; ## SECRET-DATA
                }
            }
        }
    }
}`,
  },
  frr: {
    written: plain,
    statements: `password §
enable password §
key chain c
 key 1
  key-string §
exit
interface eth0
 ip ospf authentication-key §
 ip ospf message-digest-key 1 md5 §
 isis password clear §
exit
router bgp 65001
 neighbor 10.0.0.2 password §
exit`,
  },
  routeros: {
    written: wrapped,
    statements: `/interface wireguard
add listen-port=13231 name=wg0 private-key=§
/interface wifi security
add authentication-types=wpa2-psk,wpa3-psk name=s passphrase=§ wps=disable
/ip dhcp-server
add address-pool=p1 interface=bridge lease-script=§ name=d1
/ppp profile
set *0 on-down=§ on-up=§
/ppp secret
add comment="of the door" name=bob password=§ service=l2tp
/radius
add address=10.0.0.1 secret=§ service=login
/container envs
add key=API_TOKEN list=e value=§
/system scheduler
add interval=5m name=ddns on-event=\\
    § start-time=startup
/system script
add name=s1 policy=read source=§
/tool netwatch
add down-script=§ host=10.0.0.9 type=simple up-script=§
/tool e-mail
set from=a@example.com password=§ server=10.0.0.3`,
  },
  edgeos: { written: escaped, statements: vyattaFile, options: { export: 'file' } },
  vyos: {
    written: inSingleQuotes,
    options: { export: 'commands' },
    statements: `set container name c environment API_TOKEN value §
set high-availability vrrp group g authentication password §
set interfaces wireguard wg0 private-key §
set protocols bgp neighbor 10.0.0.2 password §
set service snmp community § authorization 'ro'
set system login user skolo authentication plaintext-password §
set vpn ipsec authentication psk P secret §`,
  },
  openwrt: {
    written: inSingleQuotes,
    statements: `===== etc/config/network, file 0644 0:0
config interface 'wg0'
	option proto 'wireguard'
	option private_key §
config wireguard_wg0
	option preshared_key §
	option endpoint_host 'vpn.example.net'
===== etc/config/wireless, file 0644 0:0
config wifi-iface 'a'
	option ssid 'lab'
	option key §
	list sae_password §
===== etc/config/ddns, file 0644 0:0
config service 'd'
	option username 'me'
	option password §
config param
	option name 'api_token'
	option value §`,
  },
  linux: {
    written: escaped,
    options: { files: ['/etc/**'], exclude: [], sudo: false },
    statements: `===== etc/app.env, file 0600 0:0
DB_PASSWORD=§
export API_TOKEN=§
===== etc/app.yaml, file 0600 0:0
smtp:
  user: me
  password: §
env:
  - name: DB_PASSWORD
    value: §
===== etc/app.json, file 0600 0:0
{
  "name": "app",
  "client_secret": §,
  "port": 25
}
===== etc/ppp/chap-secrets, file 0600 0:0
me * § *
===== etc/wpa_supplicant.conf, file 0600 0:0
network={
	ssid="lab"
	psk=§
}
===== etc/nslcd.conf, file 0600 0:0
binddn cn=admin
bindpw §`,
  },
  mpower: { written: plain, statements: systemCfg },
  'unifi-switch': { written: plain, statements: systemCfg },
  'apc-rpdu': {
    written: plain,
    statements: `[NetworkSNMP]
AccessControl1Community=§
[SystemUserManager]
UserPassword=§
[Radius]
PrimaryServerSecret=§`,
  },
  generic: {
    written: plain,
    options: {
      ...{ prompt: '#', commands: ['show'], complete: 'twice', volatile: [], secret: [] },
      ...{ pagingOff: [], rejected: [], logout: 'exit' },
    },
    statements: `set password §
username me password §
 server key §`,
  },
};
const same = syntaxes['apc-rpdu'];
if (same) syntaxes['apc-rpdu2'] = same;

const random = seeded(testSeed());
const oneOf = <T>(all: readonly T[]) => all[Math.floor(random() * all.length)] as T;
const alphabet = [...'abcdefghijkmnopqrstuvwxyz23456789'];
const signs = [' ', '  ', '"', "'", '#', ' # ', 'é', '中', '$', '\\', ';', '%', '=', ','];

interface Value {
  text: string;
  /** Each is long enough to be recognised in what is shown. */
  parts: string[];
}

function anySecret(): Value {
  const count = oneOf([1, 2, 3, 5, 22]);
  const parts = Array.from({ length: count }, () =>
    Array.from({ length: 8 }, () => oneOf(alphabet)).join(''),
  );
  return { parts, text: parts.reduce((text, part) => `${text}${oneOf(signs)}${part}`) };
}

const key = Buffer.alloc(32, 1);
const utf8 = new TextDecoder();

interface Filled {
  text: string;
  parts: string[];
  lines: string[];
}

/** With other secrets each time. */
function filled({ statements, written }: Syntax, secret = anySecret) {
  const result: Filled = { text: '', parts: [], lines: [] };
  for (const statement of statements.split('\n')) {
    const text = statement.replaceAll('§', () => {
      const { parts, text: value } = secret();
      result.parts.push(...parts);
      return written(value);
    });
    if (text !== statement) result.lines.push(text);
    result.text += `${text}\n`;
  }
  return result;
}

/** What a reader sees of a configuration, by where. */
async function shown(before: Filled, { text, lines }: Filled, rules: readonly SecretRule[]) {
  const masking = { key, rules };
  const mask = (of: string) => jobs.text({ content: Buffer.from(of), format: 'text', masking });
  const [from, to] = [await mask(before.text), await mask(text)];
  const transcript = {
    head: `switch-1# show running-config\n${Buffer.from(text).toString('latin1')}switch-1# `,
    tail: '',
    cut: 0,
  };
  const messages = lines.flatMap((line) => [
    `the last line is ${JSON.stringify(line.slice(0, 60))}, not "end"`,
    `rejects the command: ${line}`,
  ]);
  const session = (message?: string) => jobs.session({ transcript, ...masking, message });
  return {
    text: utf8.decode(to),
    difference: utf8.decode(jobs.difference({ from, to, names: { from: 'a', to: 'b' } })),
    transcript: session(),
    // The first ones: each is looked up in the whole transcript.
    error: messages.slice(0, 4).map(session).join('\n'),
  };
}

const rounds = isLong ? 100 : 10;
/** The rules of described models are those of the tables, which recordings test. */
const models = [...(await loadBackups())].filter(
  ([name]) => rackModels.get(name)?.base === undefined,
);

/** What is left of a statement without its secrets. */
const around = ({ statements }: Syntax) =>
  statements
    .split(/\n|§|\\/)
    .filter((words) => !/^\W*$/.test(words) && !/^me \*|API_TOKEN list/.test(words));

describe(`secrets of any form`, () => {
  it('are tried with every model that can be backed up', () => {
    expect(Object.keys(syntaxes).sort()).toEqual(models.map(([name]) => name).sort());
  });

  it.each(models)('are shown nowhere: %s', async (model, create) => {
    const syntax = syntaxes[model] ?? { statements: '', written: plain };
    const { options = {} } = syntax;
    const device = { name: 'switch-1', model, ports: {}, transport: 'ssh' as const, options };
    const { secrets } = create(device);
    for (let round = 0; round < rounds; round += 1) {
      const [before, after] = [filled(syntax), filled(syntax)];

      const seen = await shown(before, after, secrets);

      const visible = Object.entries(seen).flatMap(([where, text]) =>
        text
          .split('\n')
          .filter((line) => [...before.parts, ...after.parts].some((part) => line.includes(part)))
          .map((line) => `${where}: ${line}`),
      );
      expect(visible).toEqual([]);
      expect(seen.difference).toMatch(/^\+.*<secret /m);
    }
    const usual = () => ({ text: 'correct "horse" #1', parts: ['correct', 'horse'] });
    const { text } = await shown(filled(syntax), filled(syntax, usual), secrets);
    expect(around(syntax).filter((words) => !text.includes(words.trimEnd()))).toEqual([]);
  });
});

it('are different words where the secrets differ', () => {
  const { text } = createMask(key);
  expect(text('password a b', [])).not.toBe(text('password a c', []));
});
