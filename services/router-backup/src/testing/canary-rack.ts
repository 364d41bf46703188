/** Devices whose configurations are full of secrets, each of which contains `canary`. */
import {
  type ConfiguredDevice,
  type DeviceFault,
  type Frr,
  type LinuxHost,
  startCiscoIos,
  startFrr,
  startLinuxHost,
  startMpower,
  startRouteros,
  startVyos,
  typeInto,
} from '@skolo/simulators';
import { onTestFinished } from 'vitest';

export const account = { username: 'skolo', password: 'canary-login-7f3a' };
export const enablePassword = 'canary-enable-19c';

/** As ssh-keygen writes it, except for the content. */
const privateKey = `-----BEGIN OPENSSH PRIVATE KEY-----
${'canarycanarycanarycanarycanarycanarycanarycanarycanarycanarycanary\n'.repeat(20)}-----END OPENSSH PRIVATE KEY-----
`;
const ageIdentity = 'AGE-SECRET-KEY-1CANARYCANARYCANARYCANARYCANARYCANARYCANARYCANARYCANARY';

const cisco = `version 16.12
hostname switch-1
!
enable secret 9 $9$canary$enable
username admin privilege 15 secret 5 $1$canary$user
!
tacacs-server key blue canary-tacacs
key chain eigrp
 key 1
  key-string 7 canary-chain
crypto pki certificate chain TP-self-signed-1
 certificate self-signed 01
${'  CANA7E30 CANARY00 CANARY11 CANARY22\n'.repeat(30)}  quit
!
interface GigabitEthernet1/0/1
 ip ospf message-digest-key 1 md5 7 canary-digest
 standby 1 authentication md5 key-string 7 canary-standby
 vrrp 2 authentication text canary-vrrp
 ip nhrp authentication canary-nhrp
!
router bgp 65001
 neighbor 10.0.0.2 password 7 canary-bgp
!
archive
 path scp://me:canary-url@10.0.0.9/archive
snmp-server community canary-community RO
snmp-server host 10.0.0.7 version 2c canary-traps
snmp-server user me group v3 auth sha canary-auth priv aes 128 canary-priv
ntp authentication-key 1 md5 canary-ntp 7
!
line vty 0 4
 password river canary-line
 login local
!
end
`;

const vyos = `interfaces {
    ethernet eth0 {
        address "dhcp"
    }
    wireguard wg0 {
        private-key "canary-wireguard"
    }
}
service {
    snmp {
        community canary-community {
            authorization "ro"
        }
    }
    ssh {
    }
}
system {
    config-management {
        commit-revisions "20"
    }
    host-name "router-1"
    login {
        user skolo {
            authentication {
                encrypted-password "$6$canary$hash"
            }
        }
    }
}
vpn {
    ipsec {
        authentication {
            psk office {
                secret "canary-psk"
            }
        }
    }
}
`;

const mpower = `users.status=enabled
users.1.status=enabled
users.1.name=ubnt
users.1.password=canaryHash0Vw
wireless.1.ssid=lab
aaa.1.wpa.psk=canary phrase
resolv.host.1.name=mpower-1
snmp.community=canary-community
`;

const frr = [
  'password canary-vty',
  'enable password canary-enable-frr',
  'router bgp 65001',
  ' neighbor 10.0.0.2 remote-as 65002',
  ' neighbor 10.0.0.2 password canary-bgp',
  'exit',
  'interface eth7',
  ' ip ospf message-digest-key 1 md5 canary-ospf',
  'exit',
];

const files: Record<string, string> = {
  'etc/hostname': 'host-1\n',
  'etc/shadow': 'root:$6$canary$canaryHashOfRoot:19000:0:99999:7:::\nann:canaryDesHash:1::\n',
  'etc/wireguard/wg0.conf': '[Interface]\nPrivateKey = canaryWireguard=\n',
  'etc/hostapd.conf': 'wpa_passphrase=canary phrase\n',
  'etc/ssh/ssh_host_rsa_key': privateKey,
  'etc/age/identity.txt': `# public key: age1\n${ageIdentity}\n`,
  'etc/ppp/chap-secrets': 'ann * "canary-chap" *\n',
};

interface CanaryDevice {
  port: number;
  entry: string;
  login?: { username: string; privateKey: string };
  device?: ConfiguredDevice;
  /** Changes secrets, and a line that is not secret. */
  change(): Promise<unknown>;
}

export interface CanaryRack {
  devices: Map<string, CanaryDevice>;
  simulated: ConfiguredDevice[];
  frr: Frr | undefined;
  linux: LinuxHost | undefined;
  setFault(fault: DeviceFault | undefined): void;
}

const login = { ...account, secondMs: 1 };
const line = (keys: string) => ({ keys: `${keys}\r`, until: '\r\n' });

/** The devices that are available. */
export async function startDevices(): Promise<CanaryRack> {
  const devices = new Map<string, CanaryDevice>();
  const simulated = await startSimulated(devices);
  return {
    devices,
    simulated,
    frr: await startRouter(devices),
    linux: await startHost(devices),
    setFault(fault) {
      for (const { faults } of simulated) {
        faults.clear();
        if (fault) faults.set(fault);
      }
    },
  };
}

async function startSimulated(devices: Map<string, CanaryDevice>): Promise<ConfiguredDevice[]> {
  const simulated: ConfiguredDevice[] = [];
  function add(
    name: string,
    model: string,
    device: ConfiguredDevice,
    change: () => Promise<unknown>,
  ) {
    onTestFinished(() => device.close());
    simulated.push(device);
    devices.set(name, { port: device.port, entry: `model: ${model}`, device, change });
  }
  const configuration = cisco;
  const ios = await startCiscoIos({
    ...login,
    ports: 4,
    privilege: 1,
    enablePassword,
    configuration,
  });
  add('switch-1', 'cisco-ios', ios, () =>
    typeInto(ios, account, '>', [
      { keys: 'enable\r', until: 'Password: ' },
      { keys: `${enablePassword}\r`, until: '#' },
      ...['configure terminal', 'snmp-server community canary-new RO'].map(line),
      ...['interface Gi1/0/3', 'description spare', 'end'].map(line),
      { keys: 'show version\r', until: 'Configuration register' },
    ]),
  );
  // Its minutes are real minutes: an unconfirmed commit would be reverted immediately.
  const router = await startVyos({ ...account, configuration: vyos });
  add('router-1', 'vyos', router, () =>
    typeInto(router, account, ':~$ ', [
      ...['configure', 'set service snmp community canary-new authorization ro'].map(line),
      ...['set system domain-name spare', 'commit', 'save', 'exit'].map(line),
      { keys: 'echo it is done\r', until: '\nit is done' },
    ]),
  );
  const strip = await startMpower({ ...login, legacyOnly: false, configuration: mpower });
  add('strip-1', 'mpower', strip, () =>
    typeInto(strip, account, '# ', [
      ...['snmp.community=canary-newer', 'snmp.contact=spare'].map((text) =>
        line(`echo ${text} >> /tmp/system.cfg`),
      ),
      { keys: 'echo it is done\r', until: '\nit is done' },
    ]),
  );
  const mikrotik = await startRouteros(login);
  add('router-2', 'routeros', mikrotik, () =>
    typeInto(mikrotik, account, '> ', [
      { keys: '/ip ipsec identity add peer=more secret=canary-more\r', until: '> ' },
      { keys: '/ppp secret add name=bob password=canary-bob comment=spare\r', until: '> ' },
      { keys: '/system identity print\r', until: 'name: ' },
    ]),
  );
  return simulated;
}

async function startHost(devices: Map<string, CanaryDevice>): Promise<LinuxHost | undefined> {
  const host = await startLinuxHost();
  if (host !== undefined) {
    onTestFinished(() => host.close());
    for (const [path, text] of Object.entries(files)) await host.write(path, text);
    const { port, username, privateKey: key, root } = host;
    devices.set('host-1', {
      port,
      entry: `model: linux, files: ["${root}/etc/**"]`,
      login: { username, privateKey: key },
      change: () => host.write('etc/hostapd.conf', 'ssid=spare\nwpa_passphrase=canary new\n'),
    });
  }
  return host;
}

async function startRouter(devices: Map<string, CanaryDevice>): Promise<Frr | undefined> {
  const frrouting = await startFrr({ configuration: `${frr.join('\n')}\n` });
  if (frrouting !== undefined) {
    onTestFinished(() => frrouting.close());
    const { port, username, privateKey: key } = frrouting;
    devices.set('router-3', {
      port,
      entry: 'model: frr',
      login: { username, privateKey: key },
      change: () =>
        frrouting.vtysh(
          'configure terminal',
          'password canary-newer',
          'ip route 10.7.0.0/16 Null0',
        ),
    });
  }
  return frrouting;
}
