import { describe, expect, it, onTestFinished } from 'vitest';
import { peer } from '../../../../peer.ts';
import { openSsh } from '../../testing.ts';
import { type EdgeosOptions, startEdgeos } from './edgeos.ts';

const login = { user: 'ubnt', password: 'edg3' };
const cfg = '/opt/vyatta/sbin/vyatta-cfg-cmd-wrapper';
const op = '/opt/vyatta/bin/vyatta-op-cmd-wrapper';

async function start(options: Partial<EdgeosOptions> = {}) {
  const device = await startEdgeos({ username: 'ubnt', password: 'edg3', ...options });
  onTestFinished(() => device.close());
  async function exec(command: string) {
    const ssh = await openSsh(device, { ...login, options: ['-T', '-q'], command });
    return { status: await ssh.ended, output: ssh.output };
  }
  return { device, exec };
}

function setPoe(port: string, output: string): string {
  const set = `${cfg} set interfaces ethernet ${port} poe output ${output}`;
  return `${cfg} begin; ${set} && ${cfg} commit; status=$?; ${cfg} end; exit $status`;
}

describe.skipIf(peer('ssh') === undefined)('an EdgeRouter, to OpenSSH', () => {
  it('turns a port off, and on at its voltage', async () => {
    const { device, exec } = await start();

    const off = await exec(setPoe('eth1', 'off'));
    const wasOn = device.board.isOn('eth1');
    const value = await exec('cli-shell-api returnActiveValue interfaces ethernet eth1 poe output');
    const on = await exec(setPoe('eth1', '24v'));

    expect([off, on]).toEqual([
      { status: 0, output: '' },
      { status: 0, output: '' },
    ]);
    expect(wasOn).toBe(false);
    expect(value).toEqual({ status: 0, output: 'off' });
    expect(device.board.get('eth1')).toEqual({ on: true, mode: '24v', watts: 4.5 });
  });

  it('lists ports, and the commands that would make its configuration', async () => {
    const { exec } = await start();

    const table = await exec(`${op} show interfaces ethernet poe`);
    const commands = await exec(`${op} show configuration commands`);

    expect(table.output).toContain('eth4       48v        48v      disabled\n');
    expect(commands.output).toContain('set interfaces ethernet eth4 poe output 48v\n');
  });

  it('keeps a session to the command that began it', async () => {
    const { device, exec } = await start();

    await exec(`${cfg} begin`);
    const stranger = await exec(`${cfg} set interfaces ethernet eth1 poe output off`);
    await exec(`CMD_WRAPPER_SESSION_ID=7 ${cfg} begin`);
    await exec(`CMD_WRAPPER_SESSION_ID=7 ${cfg} set interfaces ethernet eth1 poe output off`);
    const before = device.board.isOn('eth1');
    await exec(`CMD_WRAPPER_SESSION_ID=7 ${cfg} commit`);

    expect(stranger).toEqual({ status: 1, output: 'not in configuration session\n' });
    expect([before, device.board.isOn('eth1')]).toEqual([true, false]);
  });

  it.each([
    ['eth1', '48v', 1, 'eth1 poe output 48v ]\n48v is not supported on eth1\n\nCommit failed\n'],
    ['eth1', '99v', 1, 'Value validation failed\nSet failed\n'],
    ['eth1', '24v', 1, 'The specified configuration node already exists\n'],
    ['eth0', '24v', 1, 'is not valid\n  Set failed\n'],
    ['eth9', '24v', 1, 'is not valid\n  Set failed\n'],
  ])('rejects %s %s', async (port, output, status, words) => {
    const { device, exec } = await start({
      ports: { eth0: { modes: [] }, eth1: { modes: ['24v'], saved: '24v' } },
    });

    const answer = await exec(setPoe(port, output));

    expect(answer.status).toBe(status);
    expect(answer.output).toContain(words);
    expect(device.board.get('eth1')).toEqual({ on: true, mode: '24v', watts: 4.5 });
  });

  it('is locked while somebody else commits', async () => {
    const { device, exec } = await start();
    device.faults.set('busy');

    const { status, output } = await exec(setPoe('eth1', 'off'));

    expect(status).toBe(1);
    expect(output).toContain('Configuration system temporarily locked');
    expect(device.board.isOn('eth1')).toBe(true);
  });

  it('forgets what was discarded, and at a power failure what was not saved', async () => {
    const { device, exec } = await start();
    const set = `${cfg} set interfaces ethernet`;

    await exec(`${cfg} begin; ${set} eth0 poe output off; ${cfg} discard; ${cfg} commit`);
    const discarded = device.board.isOn('eth0');
    await exec(`${cfg} begin; ${set} eth1 poe output off; ${cfg} commit; ${cfg} save; ${cfg} end`);
    await exec(setPoe('eth2', 'off'));
    await device.reboot();

    expect(discarded).toBe(true);
    expect([device.board.isOn('eth1'), device.board.isOn('eth2')]).toEqual([false, true]);
  });

  it('has a configuration mode for who sits at a terminal, and for nobody else', async () => {
    const { device, exec } = await start();
    const elsewhere = await exec('show interfaces ethernet poe');
    const ssh = await openSsh(device, login);

    await ssh.see('ubnt@ubnt:~$ ');
    ssh.say('configure');
    await ssh.see('[edit]\r\nubnt@ubnt# ');
    ssh.say('set interfaces ethernet eth1 poe output off');
    await ssh.see('[edit]\r\nubnt@ubnt# ');
    ssh.say('exit');
    const stopped = await ssh.see('[edit]');
    const before = device.board.isOn('eth1');
    ssh.say('commit');
    await ssh.see('[edit]\r\nubnt@ubnt# ');
    const after = device.board.isOn('eth1');
    ssh.say('run show interfaces ethernet poe');
    const shown = await ssh.see('[edit]');
    ssh.say('exit');
    const left = await ssh.see('ubnt@ubnt:~$ ');

    expect(elsewhere).toEqual({ status: 127, output: '-sh: show: not found\n' });
    expect(stopped).toContain('\r\nCannot exit: configuration modified.\r\n');
    expect([before, after]).toEqual([true, false]);
    expect(shown).toMatch(/^eth1 +off /m);
    expect(left).toMatch(/exit\r\nWarning: .* not been saved\.\r\nexit\r\nubnt@ubnt:~\$ $/);
  });

  it.each([
    ['exit discard', 'exit\r\nubnt@ubnt:~$ '],
    ['nonsense', '\r\n\r\n  Invalid command: [nonsense]\r\n\r\n[edit]\r\nubnt@ubnt# '],
  ])('answers %j in configuration mode', async (line, answer) => {
    const { device } = await start();
    const ssh = await openSsh(device, login);
    await ssh.see('ubnt@ubnt:~$ ');
    ssh.say('configure');
    await ssh.see('ubnt@ubnt# ');
    ssh.say('set interfaces ethernet eth1 poe output off');
    await ssh.see('ubnt@ubnt# ');

    ssh.say(line);

    await ssh.see(answer);
    expect(device.board.isOn('eth1')).toBe(true);
  });

  it.each([
    ['drops-after-command', 255, false],
    ['ignores-commands', 0, true],
  ] as const)('%s', async (fault, expected, on) => {
    const { device, exec } = await start();
    device.faults.set(fault);

    const { status } = await exec(setPoe('eth1', 'off'));

    expect(status).toBe(expected);
    expect(device.board.isOn('eth1')).toBe(on);
  });
});
