import { describe, expect, it, onTestFinished } from 'vitest';
import { peer } from '../../../peer.ts';
import { sit } from '../clients/netmiko.ts';
import { openSsh, openTelnet } from '../testing.ts';
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

describe.skipIf(peer('ssh') === undefined)('a ProCurve, to OpenSSH', () => {
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

  it('shows its configuration', async () => {
    const { device, say } = await start();

    await say('no page');
    const answer = await say('show running-config');

    expect(answer).toContain(device.running().toString());
    expect(device.running().toString()).toMatch(
      /^\nRunning configuration:\n\n; J9773A Configuration Editor; Created on release #YA.16.11.0005\n; Ver #14:.*\n\nhostname "procurve-1"\n/,
    );
    expect(device.running().toString()).toMatch(
      /\nvlan 1\n {3}name "DEFAULT_VLAN"\n.*\n {3}exit\n/s,
    );
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

  it('asks an operator for name and password of the manager', async () => {
    const manager = { username: 'admin', password: 's3cond' };
    const { ssh, say } = await start({ role: 'operator', manager });

    const rejected = await say('show running-config', 'procurve-1> ');
    ssh.say('enable');
    await ssh.see('Username: ');
    ssh.say('admin');
    await ssh.see('Password: ');
    await say('wrong', 'procurve-1> ');
    ssh.say('enable');
    await ssh.see('Username: ');
    ssh.say('admin');
    await ssh.see('Password: ');

    expect(rejected).toContain('\nInvalid input: running-config\n');
    expect(await say('s3cond')).not.toContain('s3cond');
  });

  it('applies what is typed, boots with what is saved', async () => {
    const { device, say } = await start();

    await say('configure', 'procurve-1(config)# ');
    await say('interface 2', 'procurve-1(eth-2)# ');
    await say('name "spare"', 'procurve-1(eth-2)# ');
    await say('exit', 'procurve-1(config)# ');
    await say('vlan 10', 'procurve-1(vlan-10)# ');
    await say('exit', 'procurve-1(config)# ');
    await say('exit');
    const before = await say('show config status');
    await say('write memory');
    const after = await say('show config status');

    expect(before).toContain('has been changed and needs to be saved');
    expect(after).toContain('is same as the startup configuration');
    expect(device.startup().toString()).toContain(
      '\ninterface 2\n   name "spare"\n   power-over-ethernet critical\n   exit\n',
    );
  });

  it('asks twice before it lets go', async () => {
    const { device, ssh, say } = await start();
    await say('configure', 'procurve-1(config)# ');
    await say('hostname "other"', 'other(config)# ');
    await say('exit', 'other# ');

    ssh.say('logout');
    await ssh.see('Do you want to log out (y/n)? ');
    ssh.type('y');
    await ssh.see('Do you want to save current configuration (y/n/^C)? ');
    ssh.type('n');
    await ssh.ended;

    expect(device.startup().toString()).toContain('procurve-1');
  });
});

describe.skipIf(peer('curl') === undefined)('a ProCurve, over telnet', () => {
  it('asks for name and password', async () => {
    const device = await startProcurve({ username: 'skolo', password: 'f1rst', telnetPort: 0 });
    onTestFinished(() => device.close());

    const telnet = openTelnet(device.host, device.telnetPort);
    await telnet.see('Username: ');
    telnet.say('skolo');
    await telnet.see('Password: ');
    telnet.say('f1rst');
    await telnet.see('Press any key to continue');
    telnet.say('');

    await telnet.see(painted('procurve-1# '));
  });
});

describe('netmiko, to a ProCurve', () => {
  it.for(['manager', 'operator'] as const)(
    'reads, changes and saves as %s',
    async (role, context) => {
      const { device, netmiko } = await sit(context, (account) =>
        startProcurve({ ...account, role, manager: { password: 's3cond' } }),
      );
      const send = (command: string) => netmiko.call('send_command', [command]);

      const prompt = await netmiko.connect('hp_procurve', { secret: 's3cond' });
      await netmiko.call('enable');
      if (role === 'operator') await netmiko.call('disable_paging', ['no page']);
      const running = await send('show running-config');
      await netmiko.call('send_config_set', [['interface 2', 'name "spare"']]);
      await netmiko.call('save_config');

      expect(prompt).toBe('procurve-1');
      expect(running).toContain('; J9773A Configuration Editor;');
      expect(running).toContain('snmp-server community "S3cretRead" operator restricted\n');
      expect(running).not.toContain('MORE');
      expect(device.startup().toString()).toContain('\n   name "spare"\n');
    },
  );
});
