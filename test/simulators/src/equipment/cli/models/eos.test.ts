import { describe, expect, it, onTestFinished } from 'vitest';
import { lacks } from '../../../peer.ts';
import { sit } from '../clients/netmiko.ts';
import { openSsh } from '../testing.ts';
import { startEos } from './eos.ts';

const login = { user: 'skolo', password: 'f1rst' };

async function start(options: Partial<Parameters<typeof startEos>[0]> = {}) {
  const device = await startEos({ username: 'skolo', password: 'f1rst', ...options });
  onTestFinished(() => device.close());
  const ssh = await openSsh(device, login);
  const greeting = await ssh.see('>');
  async function say(line: string, prompt = '#') {
    ssh.say(line);
    return await ssh.see(prompt);
  }
  return { device, ssh, say, greeting };
}

describe.skipIf(lacks('ssh'))('an Arista switch, to OpenSSH', () => {
  it('probes the terminal, lets nobody read before enable, and then shows its configuration', async () => {
    const { device, say, greeting } = await start();

    const rejected = await say('show running-config', '>');
    await say('enable');
    await say('terminal length 0');
    const answer = await say('show running-config', '\nend\r\n');

    expect(greeting).toMatch(/Last login: .*\r\n/);
    expect(greeting.endsWith('\r\n\x1b[5narista-1>')).toBe(true);
    expect(rejected).toContain('\r\n% Invalid input (privileged mode required)\r\n');
    expect(answer).toMatch(
      /^ ?show running-config\r\n! Command: show running-config\r\n! Time: .*\r\n! device: arista-1 \(DCS-7050SX3-48YC8, EOS-4.29.2F\)\r\n!\r\n/m,
    );
    expect(answer.replaceAll('\r\n', '\n')).toContain(
      device.running().toString().split('\n').slice(3).join('\n'),
    );
  });

  it('asks for a second password where there is one', async () => {
    const { say } = await start({ enablePassword: 's3cond' });

    await say('enable', 'Password: ');
    await say('wrong', 'Password: ');

    expect(await say('s3cond')).toBe('\r\narista-1#');
  });

  it('has a pager', async () => {
    const { ssh, say } = await start();
    await say('enable');

    await say('show running-config', '\x1b[7m --More-- \x1b[27m\x1b[K');
    ssh.type('q');

    expect(await ssh.see('#')).toBe('\r\x1b[Karista-1#');
  });

  it.each([
    ['show runing-config', "% Invalid input (at token 1: 'runing-config')"],
    ['show', '% Incomplete command'],
    ['nonsense', "% Invalid input (at token 0: 'nonsense')"],
  ])('rejects %s', async (command, words) => {
    const { say } = await start();
    await say('enable');

    expect(await say(command)).toBe(` ${command}\r\n${words}\r\narista-1#`.trimStart());
  });
});

describe('netmiko, to an Arista switch', () => {
  it('reads the configuration, and replays a session', async (context) => {
    const { device, netmiko } = await sit(context, (account) =>
      startEos({ ...account, enablePassword: 's3cond' }),
    );
    const send = (command: string) => netmiko.call('send_command', [command]);

    const prompt = await netmiko.connect('arista_eos', { secret: 's3cond' });
    await netmiko.call('enable');
    const running = await send('show running-config');
    const lines = ['username skolo privilege 15 role network-admin secret 0 n3w'];
    const typed = await netmiko.call('send_config_set', [lines]);
    await netmiko.call('save_config', ['write memory']);

    expect(prompt).toBe('arista-1');
    expect(running).toMatch(/^! Command: show running-config\n.*\nend\s*$/s);
    expect(running).not.toContain('More');
    expect(typed).not.toContain('Invalid');
    expect(device.startup().toString()).toMatch(/! Startup-config last modified at .* by skolo\n/);
  });
});
