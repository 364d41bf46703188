import { describe, expect, it, onTestFinished, type TestContext, vi } from 'vitest';
import { lacks } from '../../../../peer.ts';
import { sit } from '../../clients/netmiko.ts';
import { rancid } from '../../clients/rancid.ts';
import type { CliOptions } from '../../model.ts';
import { type Client, execOn, openSsh } from '../../testing.ts';
import { startEdgeos } from './edgeos.ts';
import { startVyos } from './vyos.ts';

const login = { user: 'ubnt', password: 'edg3' };
const account = { username: 'ubnt', password: 'edg3' };
const ask = 'cli-shell-api showConfig --show-active-only';

async function start(options: Partial<CliOptions & { configuration: string }> = {}) {
  const device = await startEdgeos({ ...account, ...options });
  onTestFinished(() => device.close());
  const exec = async (command: string) => (await execOn(device, login, command)).output;
  return { device, exec };
}

async function configuring(device: Awaited<ReturnType<typeof start>>['device']) {
  const ssh = await openSsh(device, login);
  await ssh.see(':~$ ');
  ssh.say('configure');
  await ssh.see('# ');
  return { ssh, say: (line: string) => said(ssh, line) };
}

/** A line, and the answer to it, in configuration mode. */
async function said(ssh: Client, line: string): Promise<string> {
  ssh.say(line);
  await ssh.see(`${line}\r\n`);
  return (await ssh.see('# ')).replaceAll('\r', '').replace(/\[edit\]\n\S+# $/, '');
}

describe.skipIf(lacks('ssh'))('the configuration of an EdgeRouter', () => {
  it('is changed by typing, and saved', async () => {
    const { device, exec } = await start();
    const { say } = await configuring(device);

    const unknown = await say('set nonsense x');
    await say('set system host-name rack4');
    await say("set interfaces ethernet eth1 description 'to the switch'");
    await say('delete service gui');
    const compared = await say('compare');
    await say('commit');
    const between = [device.running().toString(), device.startup().toString()];
    const saved = await say('save');
    const again = await say('compare');
    const log = await exec('/opt/vyatta/bin/vyatta-op-cmd-wrapper show system commit');

    expect(unknown).toContain('is not valid');
    expect(compared).toBe(
      [
        '[edit interfaces ethernet eth1]\n+description "to the switch"\n',
        '[edit service]\n-gui {\n-    http-port 80\n-    https-port 443\n-    older-ciphers enable\n-}\n',
        '[edit system]\n-host-name ubnt\n+host-name rack4\n',
      ].join(''),
    );
    expect(between[0]).toContain('    host-name rack4\n');
    expect(between[1]).toContain('    host-name ubnt\n');
    expect(saved).toBe("Saving configuration to '/config/config.boot'...\nDone\n");
    expect(device.startup().toString().startsWith(device.running().toString())).toBe(true);
    expect(again).toBe('No changes between working and active configurations\n');
    expect(log).toMatch(/^0 {3}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d by ubnt via cli\n/);
    expect(await exec(`${ask} --show-commands`)).toContain(
      "set interfaces ethernet eth1 description 'to the switch'\n",
    );
  });
});

describe('the configuration of a router, to clients that know it', () => {
  it('is read by RANCID', async (context: TestContext) => {
    const device = await startEdgeos(account);
    context.onTestFinished(() => device.close());

    const { text, log } = await rancid(context, device, 'edgerouter', account);

    expect(log).not.toMatch(/missed|not found|error/i);
    expect(text).toContain(device.running().toString());
    expect(text).toContain('#HW S/N:       802AA8DE1234\n');
  });

  it('is read by netmiko from a VyOS, and changed', async (context) => {
    const { device, netmiko } = await sit(context, (options) => startVyos(options));

    const prompt = await netmiko.connect('vyos');
    const commands = await netmiko.call('send_command', ['show configuration commands']);
    await netmiko.call('send_config_set', [['set system host-name rack6']]);
    await netmiko.call('commit');
    const version = await netmiko.call('send_command', ['run show version']);

    // It leaves the escape code in, which marks what is pasted.
    expect(prompt).toMatch(/vyos@vyos$/);
    expect(commands).toContain("set system host-name 'vyos'\n");
    expect(commands).toContain("set system login user vyos authentication encrypted-password '$6$");
    expect(version).toContain('Hardware S/N:     VY4C4C4544');
    expect(device.running().toString()).toContain('    host-name rack6\n');
    expect(device.startup().toString()).toContain('    host-name "vyos"\n');
  });
});

describe.skipIf(lacks('ssh'))('the configuration of a VyOS', () => {
  it('is saved with quotes, and shown without', async () => {
    const device = await startVyos({ username: 'vyos', password: 'vy0s' });
    onTestFinished(() => device.close());
    const ssh = await openSsh(device, { user: 'vyos', password: 'vy0s' });
    await ssh.see('vyos@vyos:~$ ');
    ssh.say('configure');
    await ssh.see('# ');

    await said(ssh, 'set system host-name rack7');
    ssh.say('commit-confirm 5');
    await ssh.see('Proceed ? [Y/n] ');
    ssh.say('y');
    const scheduled = await ssh.see('# ');
    await said(ssh, 'confirm');
    await said(ssh, 'save');

    expect(scheduled).toContain('5 minutes to confirm before reboot');
    expect(device.running().toString()).toContain('        address dhcp\n');
    expect(device.startup().toString()).toMatch(/ address "dhcp"\n/);
    expect(device.startup().toString()).toMatch(/ host-name "rack7"\n/);
    expect(device.startup().toString()).toMatch(
      /\n}\n\n\n\/\/ Warning: .*\n\/\/ vyos-config-version: .*\n\/\/ Release version: 1\.4\.2\n$/,
    );
    await vi.waitFor(() => expect(device.isConfirmPending()).toBe(false));
  });
});
