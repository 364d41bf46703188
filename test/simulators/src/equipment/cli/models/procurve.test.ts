import { describe, expect, it, onTestFinished } from 'vitest';
import { lacks } from '../../../peer.ts';
import { sit } from '../clients/netmiko.ts';
import { openSsh } from '../testing.ts';
import { type ProcurveOptions, startProcurve } from './procurve.ts';

const login = { user: 'skolo', password: 'f1rst' };

/** As it is painted. */
function painted(prompt: string): string {
  const after = `\x1b[24;${prompt.length + 1}H`;
  return `\x1b[1;24r\x1b[24;1H\x1b[24;1H\x1b[2K\x1b[24;1H\x1b[?25h\x1b[24;1H\x1b[24;1H${prompt}\x1b[24;1H${after}\x1b[24;1H\x1b[?25h${after}`;
}

/** What is left when nothing is painted. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken away.
  return text.replaceAll('\x1bE', '\n').replace(/\x1b\[[?\d;]*[A-Za-z]|\r/g, '');
}

async function start(options: Partial<ProcurveOptions> = {}) {
  const device = await startProcurve({ username: 'skolo', password: 'f1rst', ...options });
  onTestFinished(() => device.close());
  const ssh = await openSsh(device, login);
  await ssh.see('Press any key to continue');
  ssh.type(' ');
  const prompt = options.role === 'operator' ? 'procurve-1> ' : 'procurve-1# ';
  const greeting = await ssh.see(painted(prompt));
  async function say(line: string, end = 'procurve-1# ') {
    ssh.say(line);
    return plain(await ssh.see(painted(end)));
  }
  return { device, ssh, say, greeting };
}

describe.skipIf(lacks('ssh'))('a ProCurve, to OpenSSH', () => {
  it('waits for a key, and paints what is typed key by key', async () => {
    const { ssh, greeting } = await start();

    ssh.say('no');
    const echo = await ssh.see('\x1b[2K');

    expect(greeting).toContain('\x1b[1920;1920H\x1b[6n\x1b[1;1HYour previous successful login');
    expect(echo).toBe(
      `\x1b[24;13Hn\x1b[24;13H\x1b[?25h\x1b[24;14H\x1b[24;14Ho\x1b[24;14H\x1b[?25h\x1b[24;15H\x1b[24;0H\x1bE\x1b[24;1H\x1b[24;15H\x1b[24;1H\x1b[2K`,
    );
  });

  it('scrolls in another way, where it is told to', async () => {
    const { ssh } = await start({ scrolls: 'delete-and-insert' });

    ssh.say('no page');

    expect(await ssh.see('\x1b[2K')).toContain('\x1b[1;0H\x1b[1M\x1b[24;1H\x1b[1L\x1b[24;20H');
  });

  it.each([
    ['newer firmware', {}, 'procurve-1# '],
    ['firmware that always pages', { alwaysPages: true }, 'Invalid input: no'],
  ])('has the pager of %s', async (_what, options, said) => {
    const { ssh, say } = await start(options);

    const first = '-- MORE --, next page: Space, next line: Enter, quit: Control-C\x1b[24;64H';
    ssh.say('show running-config');
    await ssh.see(first);
    ssh.type('\x03');
    const rest = await ssh.see(painted('procurve-1# '));
    const answer = await say('no page');

    expect(rest).toBe(`\x1b[24;1H\x1b[2K\x1b[24;1H\x1b[1;24r\x1b[24;1H${painted('procurve-1# ')}`);
    expect(answer).toContain(said);
  });

  it('asks twice before it lets go', async () => {
    const { device, ssh } = await start();
    device.edit((text) => text.replace('DEFAULT_VLAN', 'other'));

    ssh.say('logout');
    await ssh.see('Do you want to log out (y/n)? ');
    ssh.type('y');
    await ssh.see('Do you want to save current configuration (y/n/^C)? ');
    ssh.type('n');
    await ssh.ended;

    expect(device.startup().toString()).toContain('DEFAULT_VLAN');
  });
});

describe('netmiko, to a ProCurve', () => {
  it.for(['manager', 'operator'] as const)(
    'reads, and replays a session, as %s',
    async (role, context) => {
      const { netmiko, told } = await sit(context, (account) =>
        startProcurve({ ...account, role, manager: { password: 's3cond' } }),
      );
      const send = (command: string) => netmiko.call('send_command', [command]);

      const prompt = await netmiko.connect('hp_procurve', { secret: 's3cond' });
      await netmiko.call('enable');
      if (role === 'operator') await netmiko.call('disable_paging', ['no page']);
      const running = await send('show running-config');
      const lines = ['hostname "procurve-1"', 'interface 1', 'name "uplink"', 'exit', 'exit'];
      const typed = await netmiko.call('send_config_set', [lines], {
        exit_config_mode: false,
      });
      await netmiko.call('save_config');

      expect(prompt).toBe('procurve-1');
      expect(running).toContain('; J9773A Configuration Editor;');
      expect(running).toContain('snmp-server community "S3cretRead" operator restricted\n');
      expect(running).not.toContain('MORE');
      expect(typed).not.toContain('Invalid');
      expect(told().at(-1)).toBe('write memory');
    },
  );
});
