import { describe, expect, it, onTestFinished } from 'vitest';
import { lacks } from '../../../../peer.ts';
import { sit } from '../../clients/netmiko.ts';
import { rancid } from '../../clients/rancid.ts';
import { type Client, openSsh } from '../../testing.ts';
import { type EdgeSwitchOptions, startEdgeSwitch } from './edge-switch.ts';

const account = { username: 'ubnt', password: 'sw1tch' };
const enablePassword = 'en4ble';

const configuration = `hostname "switch 1 (rack4)"
network protocol none
network parms 192.168.1.11 255.255.255.0 192.168.1.1
vlan database
vlan 10,20
vlan name 10 "phones"
exit

configure
sntp server "192.168.1.1"
username "ubnt" password 8fb8d1b1c2d3e4f5 level 15 encrypted override
line console
exit

line telnet
exit

line ssh
exit

snmp-server community "hidden" ro
interface 0/3
description 'to skia-rpi2'
switchport access vlan 10
poe opmode shutdown
exit

exit
`;

async function start(options: Partial<EdgeSwitchOptions> = {}) {
  const device = await startEdgeSwitch({ ...account, configuration, ...options });
  onTestFinished(() => device.close());
  return device;
}

async function privileged(device: Awaited<ReturnType<typeof start>>) {
  const ssh = await openSsh(device, { user: 'ubnt', password: 'sw1tch' });
  await ssh.see(' >');
  for (const line of ['enable', 'terminal length 0']) {
    ssh.say(line);
    await ssh.see('#');
  }
  return { ssh, say: (line: string) => said(ssh, line) };
}

/** What is answered to a line. */
async function said(ssh: Client, line: string): Promise<string> {
  ssh.say(line);
  await ssh.see(`${line}\r\n`);
  const answer = await ssh.see(')#').catch(() => '');
  return answer.replaceAll('\r', '').replace(/\n\([^\n]*$/, '');
}

const constant = (text: Buffer) => text.toString().replace(/^!System Up Time.*$/m, '');

describe.skipIf(lacks('ssh'))('the configuration of an EdgeSwitch', () => {
  it('is in effect when it starts, and shown as it is saved', async () => {
    const device = await start();

    expect(device.board.isOn('3')).toBe(false);
    expect(constant(device.running())).toBe(constant(device.startup()));
    expect(device.running().toString()).toMatch(
      /^\n!Current Configuration:\n!\n!System Description "EdgeSwitch 24-Port .*"\n/,
    );
    expect(device.running().toString()).toContain(
      "interface 0/3\ndescription 'to skia-rpi2'\nswitchport access vlan 10\npoe opmode shutdown\nexit\n",
    );
    expect(device.running().toString()).toMatch(/\nexit\n\n\n$/);
  });

  it('is changed by typing, and saved', async () => {
    const device = await start();
    const { ssh, say } = await privileged(device);

    for (const line of ['configure', 'snmp-server sysname "other"', 'interface 0/1-0/2'])
      await say(line);
    for (const line of ["description 'spare'", 'exit', 'interface 0/3', 'no description'])
      await say(line);
    await say('nonsense');
    for (const line of ['exit', 'exit', 'vlan database']) ssh.say(line);
    await ssh.see('(Vlan)#');
    for (const line of ['vlan 30', 'no vlan 20', 'exit']) ssh.say(line);
    ssh.say('hostname "renamed"');
    await ssh.see('(renamed) #');
    const running = device.running().toString();
    const before = device.startup().toString();
    ssh.say('copy system:running-config nvram:startup-config');
    await ssh.see('(y/n) ');
    ssh.type('y');
    await ssh.see('Configuration Saved!');

    expect(running).toContain('hostname "renamed"\n');
    expect(running).toContain('vlan 10,30\n');
    expect(running).toContain("interface 0/2\ndescription 'spare'\nexit\n");
    expect(running).toContain(
      'interface 0/3\nswitchport access vlan 10\npoe opmode shutdown\nexit\n',
    );
    expect(running).not.toContain('nonsense');
    expect(before).not.toContain('spare');
    expect(constant(device.startup())).toBe(constant(device.running()));
  });

  it('has its prompt in it, when that is the fault', async () => {
    const device = await start();
    device.faults.set('prompt-in-configuration');
    device.faults.slowMs = 20;
    const { ssh } = await privileged(device);

    ssh.say('show running-config');
    await ssh.see('set clibanner "\r\n(switch 1 (rack4)) #');
    const rest = await ssh.see('(switch 1 (rack4)) #');

    expect(rest).toContain('\r\n"\r\nsntp server');
    expect(device.running().toString()).toContain('"\n(switch 1 (rack4)) #\n"\n');
  });
});

describe('the configuration of an EdgeSwitch, to clients that know it', () => {
  it('is read by RANCID', async (context) => {
    const device = await start({ enablePassword });

    const { text, log } = await rancid(context, device, 'edgemax', { ...account, enablePassword });

    expect(log).not.toMatch(/missed|not found|error/i);
    expect(text).toContain('!Serial Number.................................. F09FC2DE5678\n');
    expect(text).toContain(
      "interface 0/3\ndescription 'to skia-rpi2'\nswitchport access vlan 10\n",
    );
    expect(text).toMatch(/^!snmp-server community <removed> ro$/m);
  });

  it('is read by netmiko, and a change of it', async (context) => {
    const { netmiko } = await sit(context, (options) =>
      startEdgeSwitch({ ...options, configuration, enablePassword }),
    );

    await netmiko.connect('ubiquiti_edgeswitch', { secret: enablePassword });
    await netmiko.call('send_config_set', [['interface 0/4', "description 'new'", 'exit']]);
    const running = await netmiko.call('send_command', ['show running-config']);
    const startup = await netmiko.call('send_command', ['show startup-config']);

    expect(running).toContain("interface 0/4\ndescription 'new'\nexit\n");
    expect(startup).not.toContain("'new'");
    expect(startup).toContain('vlan name 10 "phones"\n');
  });
});
