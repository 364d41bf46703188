import { describe, expect, it, onTestFinished } from 'vitest';
import { lacks } from '../../../../peer.ts';
import { execOn, openSsh } from '../../testing.ts';
import { type RouterosOptions, startRouteros } from './routeros.ts';

const login = { user: 'admin', password: 'm1krotik' };
const poe = '/interface ethernet poe';
const plain = '[admin@MikroTik] > ';

/** Painted, wiped by so many blanks, and painted again. */
function painted(prompt: string, blanks: number): string {
  return `\r\r\r\r${prompt}${' '.repeat(blanks)}\r${prompt}`;
}

async function start(options: Partial<RouterosOptions> = {}) {
  const device = await startRouteros({
    username: 'admin',
    password: 'm1krotik',
    ports: 3,
    ...options,
  });
  onTestFinished(() => device.close());
  async function exec(command: string) {
    const { status, output } = await execOn(device, login, command);
    return { status, output: output.replaceAll('\r\n', '\n') };
  }
  return { device, exec };
}

describe.skipIf(lacks('ssh'))('a MikroTik, to OpenSSH', () => {
  it('measures a port', async () => {
    const { device, exec } = await start();
    device.board.setWatts('ether2', 0);

    const first = await exec(`${poe} monitor ether1 once`);
    const second = await exec(`${poe} monitor ether2 once`);

    expect(first.output.split('\n').map((line) => line.trimEnd())).toEqual([
      '                name: ether1',
      '             poe-out: auto-on',
      '      poe-out-status: powered-on',
      '     poe-out-voltage: 54.2V',
      '     poe-out-current: 83mA',
      '       poe-out-power: 4.5W',
      '',
    ]);
    expect(second.output).toContain('poe-out-status: waiting-for-load');
  });

  it.each([
    [`${poe} set ether9 poe-out=off`, 'no such item'],
    [`${poe} set poe-out=off`, 'missing value(s) of argument(s) numbers'],
    [`${poe} set ether1 poe-out=down`, 'input does not match any value of poe-out'],
    [`${poe} set ether1 power=off`, 'expected end of command (line 1 column 29)'],
    [`${poe} power-cycle ether1 duration=2m`, 'value of duration out of range'],
    ['/tool nonsense', 'bad command name tool (line 1 column 2)'],
  ])('rejects %j with status 0', async (command, words) => {
    const { device, exec } = await start();

    const { status, output } = await exec(command);

    expect(status).toBe(0);
    expect(output).toContain(words);
    expect(device.board.names().every((port) => device.board.isOn(port))).toBe(true);
  });

  it('means every port by [find]', async () => {
    const { device, exec } = await start();

    await exec(`${poe} set [find] poe-out=off`);

    expect(device.board.names().some((port) => device.board.isOn(port))).toBe(false);
  });

  it('paints its prompt in colours and twice', async () => {
    const { device } = await start({ identity: 'rack4 router' });
    const prompt = '\x1b[m\x1b[32m[\x1b[madmin@rack4 router\x1b[32m] \x1b[m> ';
    const ssh = await openSsh(device, login);

    await ssh.see('\x1b[6n');
    await ssh.see('MikroTik RouterOS');
    await ssh.see(painted(prompt, 56));
    ssh.say(`${poe} set ether1 poe-out=off`);
    const told = await ssh.see(painted(prompt, 56));
    ssh.say('/quit');

    expect(await ssh.ended).toBe(255);
    expect(told).toBe(
      `${poe} set ether1 poe-out=off\r${prompt}${poe} set ether1 poe-out=off\r\n${painted(prompt, 56)}`,
    );
    expect(device.board.isOn('ether1')).toBe(false);
  });

  it('leaves out colours and probes for who asks so by name', async () => {
    const { device } = await start();
    const ssh = await openSsh(device, { ...login, user: 'admin+ct200w' });

    await ssh.see(painted(plain, 180));
    ssh.say(`${poe} set ether1 poe-out=off`);
    await ssh.see(painted(plain, 180));

    expect(ssh.output).not.toContain('\x1b');
  });

  it('pages a long list', async () => {
    const { device } = await start({ ports: 48 });
    const ssh = await openSsh(device, { ...login, user: 'admin+ct' });

    await ssh.see(painted(plain, 60));
    ssh.say(`${poe} print`);
    await ssh.see('-- [Q quit|D dump|down]');
    ssh.type('q');
    await ssh.see(painted(plain, 60));
    ssh.say(`${poe} print without-paging`);
    const whole = await ssh.see(painted(plain, 60));

    expect(whole).toContain('47 ether48');
    expect(whole).not.toContain('Q quit');
  });

  it('takes the page to be as long as it is told by name', async () => {
    const { device } = await start({ ports: 48 });
    const ssh = await openSsh(device, { ...login, user: 'admin+ct4098h' });

    await ssh.see(painted(plain, 60));
    ssh.say(`${poe} print`);

    expect(await ssh.see(painted(plain, 60))).toContain('47 ether48');
  });

  it('keeps its settings over a power failure', async () => {
    const { device, exec } = await start();
    await exec(`${poe} set ether1 poe-out=off`);

    await device.reboot();

    expect(device.board.isOn('ether1')).toBe(false);
    expect(device.board.isOn('ether2')).toBe(true);
  });

  it('goes on measuring until it is told to stop', async () => {
    const { device } = await start();
    const ssh = await openSsh(device, { ...login, user: 'admin+ct' });

    await ssh.see(painted(plain, 60));
    ssh.say(`${poe} monitor ether1`);
    await ssh.see('[Q quit');
    ssh.type('x');
    await ssh.see('[Q quit');
    ssh.type('q');

    await ssh.see('[admin@MikroTik] > ');
  });
});
