import { describe, expect, it, vi } from 'vitest';
import { startCiscoIos } from '../models/cisco-ios/cisco-ios.ts';
import { startEdgeSwitch } from '../models/fastpath/edge-switch.ts';
import { startUnifiSwitch } from '../models/fastpath/unifi-switch.ts';
import { sit } from './netmiko.ts';

const second = { enablePassword: 's3cond' };
const secret = { secret: 's3cond' };

describe.concurrent('netmiko, to an EdgeSwitch', () => {
  it('turns a port off, on and through a cycle, and reads it back', async (context) => {
    const { device, netmiko, changes, told } = await sit(context, (account) =>
      startEdgeSwitch({ ...account, ports: 48, ...second }),
    );
    const show = (what: string) => netmiko.call('send_command', [`show ${what}`]);
    const atPort5 = (...lines: string[]) =>
      netmiko.call('send_config_set', [['interface 0/5', ...lines, 'exit']]);

    const prompt = await netmiko.connect('ubiquiti_edgeswitch', secret);
    const all = [await show('poe status all'), await show('poe port all')];
    await atPort5('poe opmode shutdown');
    const off = [await show('poe port 0/5'), await show('poe status 0/5')];
    const configured = await show('running-config interface 0/5');
    await atPort5('poe opmode auto');
    const on = [await show('poe port 0/5'), await show('poe status 0/5')];
    const cycling = await atPort5('poe reset 5', 'show poe status 0/5');
    await vi.waitFor(() => expect(changes).toHaveLength(4));
    await netmiko.call('disconnect');

    expect(prompt).toBe('(UBNT EdgeSwitch) ');
    expect(all[0]?.match(/^0\/\d+ +Good +Class2 .* 43$/gm)).toHaveLength(48);
    expect(all[1]?.match(/^0\/\d+ +Auto /gm)).toHaveLength(48);
    expect(all.join()).not.toMatch(/More|EdgeSwitch/);
    expect(off).toEqual([
      expect.stringMatching(/^0\/5 +Shutdown /m),
      expect.stringMatching(/^0\/5 +Disabled /m),
    ]);
    expect(configured).toContain('\npoe opmode shutdown\n');
    expect(on).toEqual([
      expect.stringMatching(/^0\/5 +Auto /m),
      expect.stringMatching(/^0\/5 +Good /m),
    ]);
    expect(cycling).toMatch(/^0\/5 +Disabled /m);
    expect(changes).toEqual(['5 off', '5 on', '5 off', '5 on']);
    expect(told().slice(0, 9)).toEqual([
      ...['enable', 'terminal length 0', 'show poe status all', 'show poe port all'],
      ...['configure', 'interface 0/5', 'poe opmode shutdown', 'exit', 'exit'],
    ]);
    await vi.waitFor(() => expect(device.sessions).toEqual({ now: 0, most: 1, opened: 1 }));
  });

  it.for([
    ['without a second password', {}, {}],
    ['with a second password', second, secret],
    ['whose ssh is of 2005', { legacyOnly: true }, {}],
  ] as const)('gets ready for commands %s', async ([, options, login], context) => {
    const { netmiko } = await sit(context, (account) =>
      startEdgeSwitch({ ...account, ...options }),
    );

    await netmiko.connect('ubiquiti_edge', login);
    const answers = [
      await netmiko.call('find_prompt'),
      await netmiko.call('send_command', ['show poe status 0/24']),
      await netmiko.call('exit_enable_mode'),
      await netmiko.call('find_prompt'),
      await netmiko.call('enable'),
    ];

    expect(answers).toEqual([
      '(UBNT EdgeSwitch) #',
      expect.stringMatching(/^0\/24 +Good /m),
      expect.stringMatching(/>$/),
      '(UBNT EdgeSwitch) >',
      expect.stringMatching(/#$/),
    ]);
  });

  it('is told when a password is wrong', async (context) => {
    const { netmiko, told } = await sit(context, (account) =>
      startEdgeSwitch({ ...account, ...second }),
    );

    const first = netmiko.connect('ubiquiti_edge', { password: 'wrong' });
    await expect(first).rejects.toThrow('NetMikoAuthenticationException');
    const other = netmiko.connect('ubiquiti_edge', { secret: 'wrong' });
    await expect(other).rejects.toThrow('ValueError: Failed to enter enable mode');

    expect(told().join()).not.toMatch(/wrong|f1rst|s3cond/);
  });

  it('saves, and what was not saved is gone after a power failure', async (context) => {
    const { device, netmiko } = await sit(context, (account) =>
      startEdgeSwitch({ ...account, stack: 2 }),
    );
    const off = (port: string) => [[`interface ${port}`, 'poe opmode shutdown', 'exit']];
    const yes = { confirm: true, confirm_response: 'y' };

    await netmiko.connect('ubiquiti_edgeswitch');
    await netmiko.call('send_config_set', off('2/0/5'));
    const saved = await netmiko.call('save_config', [], yes);
    await netmiko.call('send_config_set', off('2/0/6'));
    await device.reboot();

    expect(saved).toContain('Configuration Saved!');
    expect([device.board.isOn('2/0/5'), device.board.isOn('2/0/6')]).toEqual([false, true]);
  });

  it('finds one behind the shell of an older UniFi switch', async (context) => {
    const { netmiko, changes } = await sit(context, (account) =>
      startUnifiSwitch({ ...account, fastpath: true }),
    );
    const port3 = (line: string) => [['interface 0/3', line, 'exit']];

    await netmiko.connect('linux');
    await netmiko.call('write_channel', ['telnet 127.0.0.1\n']);
    await netmiko.call('redispatch', ['ubiquiti_edgeswitch']);
    await netmiko.call('send_config_set', port3('poe opmode shutdown'));
    const off = await netmiko.call('send_command', ['show poe port 0/3']);
    await netmiko.call('send_config_set', port3('poe opmode auto'));
    await netmiko.call('send_config_set', port3('poe reset 5'));
    await vi.waitFor(() => expect(changes).toHaveLength(4));

    expect(off).toMatch(/^0\/3 +Shutdown /m);
    expect(changes).toEqual(['3 off', '3 on', '3 off', '3 on']);
  });
});

describe.concurrent('netmiko, to a Cisco switch', () => {
  it.for([
    ['ssh', 'cisco_ios'],
    ['telnet', 'cisco_ios_telnet'],
  ] as const)('turns a port off and on over %s, and reads it back', async ([, type], context) => {
    const { device, netmiko, changes, told } = await sit(context, (account) =>
      startCiscoIos({
        ...account,
        ports: 48,
        telnetPort: 0,
        hostName: 'distribution-switch-rack4',
        ...second,
      }),
    );
    const show = (what: string) => netmiko.call('send_command', [`show ${what}`]);
    const atPort3 = (line: string) =>
      netmiko.call('send_config_set', [['interface Gi1/0/3', line]]);
    const readPort3 = async () => [
      await show('power inline Gi1/0/3'),
      await show('running-config interface Gi1/0/3'),
    ];

    const prompt = await netmiko.connect(type, secret);
    await netmiko.call('enable');
    const all = [await show('power inline'), await show('running-config')];
    const logged = await atPort3('power inline never');
    const off = await readPort3();
    await atPort3('power inline auto');
    const on = await readPort3();
    await atPort3('power inline static max 15400');
    const fixed = await readPort3();
    await netmiko.call('disconnect');

    expect(prompt).toBe('distribution-switch-rack4');
    expect(all[0]?.match(/^Gi1\/0\/\d+ +auto +on +7\.0 +Ieee PD +2 +30\.0$/gm)).toHaveLength(48);
    expect(all[1]?.match(/^interface GigabitEthernet1/gm)).toHaveLength(48);
    expect(all.join()).not.toMatch(/More|rack4#/);
    expect(logged).toMatch(/%ILPOWER-5-.*\n.*\ndistribution-switch-\(config-if\)#end\n/);
    expect(off).toEqual([
      expect.stringMatching(/^Gi1\/0\/3 +off +off +0\.0 /m),
      expect.stringMatching(/^ power inline never$/m),
    ]);
    expect(on).toEqual([
      expect.stringMatching(/^Gi1\/0\/3 +auto +on +7\.0 /m),
      expect.not.stringContaining('power inline'),
    ]);
    expect(fixed).toEqual([
      expect.stringMatching(/^Gi1\/0\/3 +static +on +7\.0 /m),
      expect.stringMatching(/^ power inline static max 15400$/m),
    ]);
    expect(changes).toEqual(['Gi1/0/3 off', 'Gi1/0/3 on']);
    expect(told().slice(0, 5)).toEqual([
      ...['terminal length 0', 'terminal width 511', 'enable'],
      ...['show power inline', 'show running-config'],
    ]);
    expect(told().join()).not.toContain('s3cond');
    await vi.waitFor(() => expect(device.sessions.now).toBe(0));
  });
});
