import { describe, expect, it, vi } from 'vitest';
import type { CliDevice } from '../core.ts';
import type { CliOptions } from '../model.ts';
import { startUnifiSwitch } from '../models/fastpath/unifi-switch.ts';
import { startMpower } from '../models/mpower.ts';
import { startOpenwrt } from '../models/openwrt/openwrt.ts';
import { startRouteros } from '../models/routeros/routeros.ts';
import { startEdgeos } from '../models/vyatta/edgeos.ts';
import { sit } from './netmiko.ts';

describe.concurrent('netmiko, to others', () => {
  it('turns a port of a MikroTik off and on, and reads it back', async (context) => {
    const { netmiko, changes } = await sit(context, (account) =>
      startRouteros({ ...account, ports: 48 }),
    );
    // What is painted once more holds a prompt, so netmiko can only tell by time when an answer ends.
    const menu = '/interface ethernet poe';
    const tell = (line: string) => netmiko.call('send_command_timing', [`${menu} ${line}`]);

    const prompt = await netmiko.connect('mikrotik_routeros');
    const list = await tell('print');
    const said = await tell('set ether3 poe-out=off');
    const off = await tell('monitor ether3 once');
    await tell('set ether3 poe-out=forced-on');
    const on = await tell('monitor ether3 once');
    const cycling = await tell(`power-cycle ether3 duration=5s; ${menu} monitor ether3 once`);
    await vi.waitFor(() => expect(changes).toHaveLength(4));

    expect(prompt).toBe('[skolo@MikroTik] ');
    expect(list).toMatch(/^Columns: NAME, POE-OUT, POE-PRIORITY\n/);
    expect(list.match(/^\d+ +ether\d+ +auto-on /gm)).toHaveLength(48);
    expect(said.trim()).toBe('');
    expect(off).toMatch(/^ +name: ether3 +\n +poe-out: off +\n +poe-out-status: off +\n\s*$/);
    expect(on).toMatch(/poe-out: forced-on +\n +poe-out-status: powered-on/);
    expect(cycling).toContain('poe-out-status: power_reset');
    expect(changes).toEqual(['ether3 off', 'ether3 on', 'ether3 off', 'ether3 on']);
  });

  it('commits to an EdgeRouter, and is told what that one does not take', async (context) => {
    const { device, netmiko } = await sit(context, (account) =>
      startEdgeos({ ...account, ports: { eth1: { modes: ['24v'], saved: '24v' } } }),
    );
    const set = (output: string) =>
      netmiko.call('send_config_set', [[`set interfaces ethernet eth1 poe output ${output}`]]);

    const prompt = await netmiko.connect('vyos');
    await set('off');
    const before = device.board.isOn('eth1');
    await netmiko.call('commit');
    const shown = await netmiko.call('send_command', ['run show interfaces ethernet poe']);
    await set('48v');
    const rejected = netmiko.call('commit');
    await expect(rejected).rejects.toThrow('ValueError: Commit failed');
    const left = await netmiko.call('exit_config_mode');

    expect(prompt).toBe('ubnt@ubnt');
    expect(before).toBe(true);
    expect(device.board.isOn('eth1')).toBe(false);
    expect(shown).toMatch(/^eth1 +off /m);
    expect(left).toMatch(
      /Cannot exit: configuration modified\.[^$]*exit discard[^$]*\nexit\n.*\$ $/,
    );
  });
});

const wrapper = '/opt/vyatta/sbin/vyatta-cfg-cmd-wrapper';
const setEth3 = (output: string) =>
  `${wrapper} begin; ${wrapper} set interfaces ethernet eth3 poe output ${output} && ${wrapper} commit; ${wrapper} end`;
const manageLan3 = (enable: boolean) =>
  `ubus call poe manage '${JSON.stringify({ port: 'lan3', enable })}'`;
const shells = [
  {
    name: 'mPower strip',
    start: (account: CliOptions) => startMpower(account),
    prompt: 'MF.v2.1.11',
    turnOff: 'echo 0 > /proc/power/relay3',
    turnOn: 'echo 1 > /proc/power/relay3',
    read: 'grep . /proc/power/relay3 /proc/power/active_pwr3',
    off: /^\/proc\/power\/relay3:0\n\/proc\/power\/active_pwr3:0\.0\n$/,
    changes: ['3 off', '3 on', '3 off'],
  },
  {
    name: 'UniFi switch',
    start: (account: CliOptions) => startUnifiSwitch(account),
    prompt: 'USW-Lite-16-US.6.2.5',
    turnOff: 'swctrl poe set off id 3',
    turnOn: 'swctrl poe set auto id 3',
    read: 'swctrl poe show',
    off: /^ +3 +Off /m,
    changes: ['3 off', '3 on', '3 off'],
  },
  {
    name: 'OpenWrt switch',
    start: (account: CliOptions) => startOpenwrt(account),
    prompt: 'root@OpenWrt:~',
    turnOff: manageLan3(false),
    turnOn: manageLan3(true),
    read: 'ubus call poe info',
    off: /"lan3": \{[^}]*"status": "Disabled"/,
    changes: ['lan3 off', 'lan3 on', 'lan3 off'],
  },
  {
    name: 'EdgeRouter',
    start: (account: CliOptions) => startEdgeos(account),
    prompt: 'ubnt@ubnt:~',
    turnOff: setEth3('off'),
    turnOn: setEth3('48v'),
    read: '/bin/cli-shell-api returnActiveValue interfaces ethernet eth3 poe output',
    off: /^off$/,
    changes: ['eth3 off', 'eth3 on', 'eth3 off'],
  },
];

describe.concurrent('netmiko, to a shell', () => {
  it.for(shells)('turns an outlet of an $name off and on', async (shell, context) => {
    const { netmiko, changes } = await sit<CliDevice>(context, shell.start);

    const prompt = await netmiko.connect('linux');
    await netmiko.call('send_command', [shell.turnOff]);
    await netmiko.call('send_command', [shell.turnOn]);
    const beside = [await netmiko.exec(shell.turnOff), await netmiko.exec(shell.read)];

    expect(prompt).toBe(shell.prompt);
    expect(beside).toEqual([
      { status: 0, output: '' },
      { status: 0, output: expect.stringMatching(shell.off) },
    ]);
    expect(changes).toEqual(shell.changes);
  });
});
