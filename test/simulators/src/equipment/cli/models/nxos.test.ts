import { describe, expect, it, onTestFinished } from 'vitest';
import { lacks } from '../../../peer.ts';
import { sit } from '../clients/netmiko.ts';
import { openSsh } from '../testing.ts';
import { type NxosOptions, startNxos } from './nxos.ts';

const login = { user: 'skolo', password: 'f1rst' };

async function start(options: Partial<NxosOptions> = {}) {
  const device = await startNxos({ username: 'skolo', password: 'f1rst', ...options });
  onTestFinished(() => device.close());
  const ssh = await openSsh(device, login);
  await ssh.see('\rnexus-1# ');
  async function say(line: string, prompt = '\rnexus-1# ') {
    ssh.say(line);
    return await ssh.see(prompt);
  }
  return { device, ssh, say };
}

describe.skipIf(lacks('ssh'))('a Nexus, to OpenSSH', () => {
  it('shows its configuration, with its time, behind an echo that ends in CR CR LF', async () => {
    const { device, say } = await start();

    await say('terminal length 0');
    const answer = await say('show running-config');

    expect(answer).toMatch(
      /^show running-config\r\r\n\r\n!Command: show running-config\r\n!Running configuration last done at: Thu Nov 19 09:12:33 2026\r\n!Time: \w{3} \w{3} +\d+ [\d:]+ \d{4}\r\n\r\nversion 9\.3/,
    );
    expect(answer.replaceAll('\r\n', '\n')).toContain(
      device.running().toString().split('\n').slice(4).join('\n'),
    );
  });

  it('has a pager', async () => {
    const { ssh, say } = await start();

    const page = await say('show running-config', '\x1b[7m--More--\x1b[m');
    ssh.type('q');
    const rest = await ssh.see('nexus-1# ');

    expect(page.split('\r\n')).toHaveLength(25);
    expect(rest).toBe('\r\x1b[K\rnexus-1# ');
  });

  it.each([
    ['show runing-config', "% Invalid command at '^' marker.", 14],
    ['show', "% Incomplete command at '^' marker.", 13],
  ])('rejects %s', async (command, words, column) => {
    const { say } = await start();

    const answer = await say(command);

    expect(answer).toBe(`${command}\r\r\n${' '.repeat(column)}^\r\n${words}\r\n\rnexus-1# `);
  });
});

describe('netmiko, to a Nexus', () => {
  it('reads the configuration, and replays a session', async (context) => {
    const { netmiko, told } = await sit(context, startNxos);
    const send = (command: string) => netmiko.call('send_command', [command]);

    const prompt = await netmiko.connect('cisco_nxos');
    const running = await send('show running-config');
    const inventory = await send('show inventory');
    const lines = ['hostname nexus-1', 'vlan 10', 'name phones', 'interface Ethernet1/1'];
    lines.push('description uplink', 'line vty', 'session-limit 16');
    const typed = await netmiko.call('send_config_set', [lines]);
    await netmiko.call('save_config');

    expect(prompt).toBe('nexus-1');
    expect(running.trim().split('\n').slice(3)).toEqual(
      expect.arrayContaining(['feature nxapi', '    password 3 S3cretBgp', 'line vty']),
    );
    expect(running).not.toContain('More');
    expect(inventory).toContain('SN: FDO21120ABC');
    expect(typed).not.toContain('Invalid');
    expect(told()).toEqual(expect.arrayContaining([...lines, 'end']));
    expect(told().at(-1)).toBe('copy running-config startup-config');
  });
});
