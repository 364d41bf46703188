import { describe, expect, it, onTestFinished } from 'vitest';
import { lacks } from '../../../../peer.ts';
import { sit } from '../../clients/netmiko.ts';
import { rancid } from '../../clients/rancid.ts';
import { type Client, openSsh } from '../../testing.ts';
import { type CiscoIosOptions, startCiscoIos } from './cisco-ios.ts';

const account = { username: 'admin', password: 'c1sco' };
const enablePassword = 'en4ble';

const configuration = `version 16.12
service timestamps log datetime msec
!
hostname rack4-sw1
!
enable secret 9 $9$hiddenHash
!
username admin privilege 15 secret 9 $9$otherHash
!
crypto pki certificate chain TP-self-signed-1
 certificate self-signed 01
  30820330 30820218 A0030201 02020101
  quit
!
interface GigabitEthernet1/0/1
 description to skia-rpi2
 switchport mode access
!
interface GigabitEthernet1/0/2
 switchport mode access
 power inline never
!
interface Vlan1
 ip address 192.168.1.12 255.255.255.0
!
snmp-server community hidden RO
!
banner motd ^C
Authorized { use } only.
^C
!
line con 0
 exec-timeout 0 0
line vty 0 4
 login local
 transport input ssh
!
ntp server 192.168.1.1
!
end
`;

async function start(options: Partial<CiscoIosOptions> = {}) {
  const device = await startCiscoIos({ ...account, privilege: 15, configuration, ...options });
  onTestFinished(() => device.close());
  return device;
}

async function signedIn(device: Awaited<ReturnType<typeof start>>) {
  const ssh = await openSsh(device, { user: 'admin', password: 'c1sco' });
  await ssh.see('#');
  const say = (line: string) => said(ssh, line);
  await say('terminal length 0');
  await say('terminal width 511');
  return { ssh, say };
}

async function said(ssh: Client, line: string): Promise<string> {
  ssh.say(line);
  await ssh.see(`${line}\r\n`);
  return (await ssh.see('#')).replaceAll('\r', '').replace(/\n[^\n]*#$/, '\n');
}

const constant = (text: Buffer | string) =>
  text
    .toString()
    .replace(/^(Building|Current configuration|Using|!|ntp clock-period).*\n/gm, '')
    .trim();

describe.skipIf(lacks('ssh'))('the configuration of a Cisco switch', () => {
  it('is changed by typing, and saved', async () => {
    const device = await start();
    const { say } = await signedIn(device);

    await say('configure terminal');
    for (const line of ['interface Gi1/0/1', 'description other', 'power inline never'])
      await say(line);
    for (const line of ['interface vlan1', 'no ip address', 'exit', 'vlan 20', 'name phones'])
      await say(line);
    const wrong = await say('nonsense x');
    for (const line of ['hostname renamed', 'end']) await say(line);
    const running = device.running().toString();
    const before = device.startup().toString();
    const saved = await say('write memory');

    expect(wrong).toContain('% Invalid input detected');
    expect(running).toContain('hostname renamed\n');
    expect(running).toContain(
      'interface GigabitEthernet1/0/1\n description other\n switchport mode access\n power inline never\n!\n',
    );
    expect(running).toContain('interface Vlan1\n!\n');
    expect(running).toContain('vlan 20\n name phones\n');
    expect(before).toContain('to skia-rpi2');
    expect(saved).toBe('Building configuration...\n[OK]\n');
    expect(constant(device.startup())).toBe(constant(device.running()));
    expect(device.board.isOn('Gi1/0/1')).toBe(false);
  });

  it('has its prompt in it, when that is the fault', async () => {
    const device = await start();
    device.faults.set('prompt-in-configuration');
    device.faults.slowMs = 20;
    const { ssh } = await signedIn(device);

    ssh.say('show running-config');
    await ssh.see('banner motd ^C\r\nrack4-sw1#');
    const rest = await ssh.see('rack4-sw1#');

    expect(rest).toMatch(/^\r\n\^C\r\n[\s\S]*\r\nend\r\n/);
  });
});

describe('the configuration of a Cisco switch, to clients that know it', () => {
  it('is read by RANCID', async (context) => {
    const device = await start({ privilege: 1, enablePassword });

    const { text, log } = await rancid(context, device, 'cisco', { ...account, enablePassword });

    expect(log).not.toMatch(/End of run not found|error:/i);
    expect(text).toContain('interface GigabitEthernet1/0/1\n description to skia-rpi2\n');
    expect(text).toContain('!snmp-server community <removed> RO\n');
    expect(text).toMatch(/^end$/m);
    expect(text).toMatch(/^!Serial Number: FDO1234X0AB|^!Processor ID: FDO1234X0AB/m);
  });

  it('is read by netmiko, and a change of it', async (context) => {
    const { netmiko } = await sit(context, (options) =>
      startCiscoIos({ ...options, configuration, enablePassword }),
    );

    await netmiko.connect('cisco_ios', { secret: enablePassword });
    await netmiko.call('enable');
    await netmiko.call('send_config_set', [['interface Gi1/0/3', 'description new']]);
    const running = await netmiko.call('send_command', ['show running-config']);
    const startup = await netmiko.call('send_command', ['show startup-config']);

    expect(running).toContain('interface GigabitEthernet1/0/3\n description new\n');
    expect(running).toMatch(/\nend\s*$/);
    expect(startup).toMatch(/^Using \d+ out of/);
    expect(startup).not.toContain('description new');
  });
});
