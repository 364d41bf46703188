import { describe, expect, it, onTestFinished } from 'vitest';
import { lacks } from '../../../peer.ts';
import { sit } from '../clients/netmiko.ts';
import { openSsh } from '../testing.ts';
import { type JunosOptions, startJunos } from './junos.ts';

const login = { user: 'skolo', password: 'f1rst' };
const prompt = '\r\n{master:0}\r\nskolo@ex-1> ';

async function start(options: Partial<JunosOptions> = {}) {
  const device = await startJunos({ username: 'skolo', password: 'f1rst', ...options });
  onTestFinished(() => device.close());
  async function session() {
    const ssh = await openSsh(device, login);
    await ssh.see('{master:0}\r\nskolo@ex-1> ');
    async function say(line: string, end = prompt) {
      ssh.say(line);
      return await ssh.see(end);
    }
    return { ssh, say };
  }
  return { device, session };
}

describe.skipIf(lacks('ssh'))('a Juniper switch, to OpenSSH', () => {
  it('has a pager that tells how far it is', async () => {
    const { session } = await start();
    const { ssh, say } = await session();

    await say('show configuration | display omit', '\r\n---(more 12%)---');
    ssh.type(' ');
    const page = await ssh.see('---(more 24%)---');
    ssh.type('q');

    expect(page.startsWith(`\r${' '.repeat(40)}\r`)).toBe(true);
    await ssh.see(prompt);
  });

  it('does not know every command', async () => {
    const { session } = await start();
    const { say } = await session();

    expect(await say('shw version')).toMatch(/^shw version \r\n +\^\r\nunknown command\.\r\n/);
  });
});

describe('netmiko, to a Juniper switch', () => {
  it.for([true, false])(
    'reads, and replays a session (member of a chassis: %s)',
    async (isMember, context) => {
      const { device, netmiko } = await sit(context, (account) =>
        startJunos({ ...account, isMember }),
      );
      const send = (command: string) => netmiko.call('send_command', [command]);

      const name = await netmiko.connect('juniper_junos');
      const running = await send('show configuration');
      const typed = await netmiko.call('send_config_set', [['commit check', 'commit', 'exit']], {
        exit_config_mode: false,
      });

      expect(name).toBe('skolo@ex-1');
      expect(running.trim()).toContain(device.running().toString().trim());
      expect(typed).toMatch(/configuration check succeeds[\s\S]*commit complete/);
    },
  );
});
