import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { peer } from '../../../../peer.ts';
import { sit } from '../../clients/netmiko.ts';
import { openSsh } from '../../testing.ts';
import { type JunosOptions, junosExample, startJunos } from './junos.ts';
import { JunosSyntaxError, parseJunos, printJunos } from './junos-tree.ts';

const login = { user: 'skolo', password: 'f1rst' };
const prompt = '\r\n{master:0}\r\nskolo@ex-1> ';
const inside = '\r\n{master:0}[edit]\r\nskolo@ex-1# ';

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

describe('statements in braces', () => {
  it('are printed as they were parsed', () => {
    const printed = printJunos(parseJunos(junosExample));

    expect(printed.replaceAll(' ## SECRET-DATA', '')).toBe(junosExample);
    expect(printed.match(/ ## SECRET-DATA$/gm)?.length).toBeGreaterThan(10);
    expect(printJunos(parseJunos(printed))).toBe(printed);
  });

  it.each(['system {', 'system }', 'a; }', 'system { host-name x }', '{ a; }'])(
    'that are none are rejected: %s',
    (text) => {
      expect(() => parseJunos(text)).toThrow(JunosSyntaxError);
    },
  );
});

describe.skipIf(peer('ssh') === undefined)('a Juniper switch, to OpenSSH', () => {
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

  it('does not load a text that is cut', async () => {
    const { session } = await start();
    const { ssh, say } = await session();

    await say('configure', inside);
    await say('load override terminal', ']\r\n');
    for (const line of junosExample.split('\n').slice(0, 40)) ssh.say(line);
    ssh.type('\x04');

    expect(await ssh.see(inside)).toContain(
      'missing closing brace\r\nload complete (1 errors)\r\n',
    );
  });

  it('undoes a commit that is not confirmed', async () => {
    const { device, session } = await start({ secondMs: 5 });
    const { say } = await session();
    const hasName = (name: string) => device.running().toString().includes(`host-name ${name};`);

    await say('configure', inside);
    await say('set system host-name ex-9', inside);
    const said = await say('commit confirmed 1', 'skolo@ex-9# ');
    const changed = hasName('ex-9');
    await vi.waitFor(() => expect(hasName('ex-1')).toBe(true));
    await say('set system host-name ex-8', inside);
    await say('commit confirmed 1', 'skolo@ex-8# ');
    await say('commit', 'skolo@ex-8# ');
    await say('exit', 'Exiting configuration mode\r\n');

    expect(said).toContain('will be automatically rolled back in 1 minutes unless confirmed\r\n');
    expect(changed).toBe(true);
    expect(hasName('ex-8')).toBe(true);
  });

  it('does not know every command', async () => {
    const { session } = await start();
    const { say } = await session();

    expect(await say('shw version')).toMatch(/^shw version \r\n +\^\r\nunknown command\.\r\n/);
  });
});

describe('netmiko, to a Juniper switch', () => {
  it.for([true, false])(
    'reads and commits (member of a chassis: %s)',
    async (isMember, context) => {
      const { device, netmiko } = await sit(context, (account) =>
        startJunos({ ...account, isMember }),
      );
      const send = (command: string) => netmiko.call('send_command', [command]);

      const name = await netmiko.connect('juniper_junos');
      const running = await send('show configuration');
      await netmiko.call('send_config_set', [['set vlans phones vlan-id 11']], {
        exit_config_mode: false,
      });
      await netmiko.call('commit', [], { and_quit: true });

      expect(name).toBe('skolo@ex-1');
      expect(running.trim().split('\n').slice(1).join('\n')).toContain(
        printJunos(parseJunos(junosExample)).trim(),
      );
      expect(device.running().toString()).toContain('vlan-id 11;');
    },
  );
});
