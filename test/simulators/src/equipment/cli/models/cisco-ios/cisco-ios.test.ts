import { describe, expect, it, onTestFinished } from 'vitest';
import { lacks } from '../../../../peer.ts';
import type { CliDevice } from '../../core.ts';
import { type Client, openSsh } from '../../testing.ts';
import { type CiscoIosOptions, startCiscoIos } from './cisco-ios.ts';

const login = { user: 'admin', password: 'c1sco' };

async function start(options: Partial<CiscoIosOptions> = {}): Promise<CliDevice> {
  const device = await startCiscoIos({
    username: 'admin',
    password: 'c1sco',
    privilege: 15,
    ports: 4,
    logging: 'none',
    ...options,
  });
  onTestFinished(() => device.close());
  return device;
}

async function open(device: CliDevice): Promise<Client> {
  const ssh = await openSsh(device, login);
  await ssh.see('Switch#');
  return ssh;
}

async function onPort(device: CliDevice, port: string): Promise<Client> {
  const ssh = await open(device);
  ssh.say('configure terminal');
  await ssh.see('Switch(config)#');
  ssh.say(`interface ${port}`);
  await ssh.see('Switch(config-if)#');
  return ssh;
}

describe.skipIf(lacks('ssh'))('a Cisco switch, to OpenSSH', () => {
  it('turns a port off and shows all of them', async () => {
    const device = await start();
    device.board.setWatts('Gi1/0/4', 0);
    const ssh = await onPort(device, 'gi 1/0/3');

    ssh.say('power inline never');
    await ssh.see('(config-if)#');
    ssh.say('end');
    await ssh.see('Switch#');
    ssh.say('show power inline');
    const shown = await ssh.see('Switch#');

    expect(device.board.isOn('Gi1/0/3')).toBe(false);
    expect(shown.replaceAll('\r\n', '\n')).toBe(
      `show power inline
Module   Available     Used     Remaining
          (Watts)     (Watts)    (Watts)
------   ---------   --------   ---------
1            740.0       14.0       726.0
Interface Admin  Oper       Power   Device              Class Max
                            (Watts)
--------- ------ ---------- ------- ------------------- ----- ----
Gi1/0/1   auto   on         7.0     Ieee PD             2     30.0
Gi1/0/2   auto   on         7.0     Ieee PD             2     30.0
Gi1/0/3   off    off        0.0     n/a                 n/a   30.0
Gi1/0/4   auto   off        0.0     n/a                 n/a   30.0
Switch#`,
    );
  });

  it('shows a login of privilege 7 a configuration that ends as always, without most of it', async () => {
    const ssh = await open(await start({ privilege: 7 }));

    ssh.say('show privilege');
    const privilege = await ssh.see('Switch#');
    ssh.say('show running-config');
    const shown = (await ssh.see('end\r\n\r\nSwitch#')).replaceAll('\r\n', '\n');
    ssh.say('show startup-config');
    const saved = await ssh.see('Switch#');

    const [, size, text = ''] = /: (\d+) bytes\n([\s\S]*)\nSwitch#$/.exec(shown) ?? [];
    expect(privilege).toContain('Current privilege level is 7\r\n');
    expect(text.length).toBe(Number(size));
    expect(text).toMatch(/^hostname Switch$[\s\S]*^interface GigabitEthernet1\/0\/1$/m);
    expect(text).not.toMatch(/username|switchport|vlan/);
    expect(saved).toContain("% Invalid input detected at '^' marker.");
  });

  it.each([
    ['power inline static max 15400', ' power inline static max 15400\r\n', 'static max 15400'],
    ['power inline auto', 'access\r\nend', 'auto'],
    ['no power inline never', 'access\r\nend', 'auto'],
    ['default power inline', 'access\r\nend', 'auto'],
  ])('turns a port on by %j', async (line, configured, mode) => {
    const device = await start();
    const ssh = await onPort(device, 'GigabitEthernet1/0/2');
    ssh.say('power inline never');
    await ssh.see('(config-if)#');

    ssh.say(line);
    await ssh.see('(config-if)#');
    ssh.say('do show running-config interface Gi1/0/2');
    const shown = await ssh.see('(config-if)#');

    expect(device.board.get('Gi1/0/2')).toEqual({ on: true, mode, watts: 4.5 });
    expect(shown).toContain('interface GigabitEthernet1/0/2\r\n switchport mode');
    expect(shown).toContain(configured);
  });

  it('shows one port in two tables', async () => {
    const ssh = await open(await start());

    ssh.say('show power inline Gi1/0/1');

    const rows = (await ssh.see('Switch#')).match(/^Gi1\/0\/1 .*/gm);
    expect(rows).toEqual([
      'Gi1/0/1   auto   on         7.0     Ieee PD             2     30.0',
      'Gi1/0/1               30.0                 15.4',
    ]);
  });

  it.each([
    ['show power inlime', /\r\n {18}\^\r\n% Invalid input detected at '\^' marker\./],
    ['show power inline Gi1/0/9', /\r\n {25}\^\r\n% Invalid input/],
    ['show power', /% Incomplete command/],
    ['show', /% Incomplete command/],
    ['shwo', /% Unknown command or computer name/],
  ])('answers %j', async (line, answer) => {
    const ssh = await openSsh(await start({ privilege: 1 }), login);
    await ssh.see('Switch>');

    ssh.say(line);

    expect(await ssh.see('Switch>')).toMatch(answer);
  });

  it('asks three times for the second password', async () => {
    const device = await start({ privilege: 1, enablePassword: 's3cret' });
    const ssh = await openSsh(device, login);
    await ssh.see('Switch>');

    ssh.say('enable');
    for (let i = 0; i < 3; i++) {
      await ssh.see('Password: ');
      ssh.say('wrong');
    }
    const rejected = await ssh.see('Switch>');
    ssh.say('enable');
    await ssh.see('Password: ');
    ssh.say('s3cret');
    await ssh.see('Switch#');

    expect(rejected).toContain('% Bad secrets');
    expect(ssh.output).not.toMatch(/wrong|s3cret/);
  });

  it('puts log lines between answer and prompt', async () => {
    const ssh = await onPort(await start({ logging: 'before-prompt' }), 'Gi1/0/1');

    ssh.say('power inline never');

    expect(await ssh.see('(config-if)#')).toMatch(
      /never\r\n\*Nov .*%ILPOWER-5-\S+ Interface Gi1\/0\/1.*\r\n.*down\r\nSwitch\(config-if\)#$/,
    );
  });

  it('puts log lines after the prompt and does not repeat it', async () => {
    const ssh = await onPort(await start({ logging: 'after-prompt' }), 'Gi1/0/1');

    ssh.say('power inline never');
    await ssh.see('changed state to down\r\n');
    ssh.say('power inline auto');
    const next = await ssh.see('(config-if)#');

    expect(next).toBe('power inline auto\r\nSwitch(config-if)#');
  });

  it.each([
    ['wrap', 'show running-co\r\nnfig interface Gi1/0/1\r\n'],
    ['scroll', `show running-c${'<'.repeat(14)}$g-co${' '.repeat(9)}${'<'.repeat(9)}nfig inte`],
  ] as const)('echoes a long line: %s', async (overflow, echo) => {
    const ssh = await open(await start({ width: 22, overflow }));

    ssh.say('show running-config interface Gi1/0/1');
    const shown = await ssh.see('Building');
    await ssh.see('Switch#');
    ssh.say('terminal width 0');
    await ssh.see('Switch#');
    ssh.say('show running-config interface Gi1/0/1');
    const wide = await ssh.see('Building');

    expect(shown.replaceAll('\b', '<')).toContain(echo);
    expect(wide).toBe('show running-config interface Gi1/0/1\r\nBuilding');
  });

  it('pages, and erases what it asked by backspaces', async () => {
    const ssh = await open(await start({ ports: 48 }));

    ssh.say('show power inline');
    await ssh.see(' --More-- ');
    ssh.type(' ');
    const next = await ssh.see(' --More-- ');
    ssh.type('q');
    await ssh.see('Switch#');
    ssh.say('terminal length 0');
    await ssh.see('Switch#');
    ssh.say('show power inline');

    expect(next).toContain(`${'\b'.repeat(9)}${' '.repeat(8)}${'\b'.repeat(9)}Gi1/0/18 `);
    expect(await ssh.see('Switch#')).not.toContain('More');
  });

  it('has no exec channel', async () => {
    const ssh = await openSsh(await start(), { ...login, options: ['-T'], command: 'show clock' });

    expect(await ssh.ended).toBe(255);
  });
});
