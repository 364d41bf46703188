import { describe, expect, it, onTestFinished } from 'vitest';
import { peer } from '../../../peer.ts';
import { makeSshKey } from '../host-key.ts';
import { legacySshOptions, openSsh } from '../testing.ts';
import { type MpowerOptions, startMpower } from './mpower.ts';

const login = { user: 'ubnt', password: 'mp0wer' };

async function start(options: Partial<MpowerOptions> = {}) {
  const device = await startMpower({
    username: 'ubnt',
    password: 'mp0wer',
    outlets: 3,
    ...options,
  });
  onTestFinished(() => device.close());
  async function exec(command: string) {
    const ssh = await openSsh(device, {
      ...login,
      options: ['-T', '-q', ...legacySshOptions],
      command,
    });
    return { status: await ssh.ended, output: ssh.output };
  }
  return { device, exec };
}

describe.skipIf(peer('ssh') === undefined)('an mPower strip, to OpenSSH', () => {
  it('has a file for each relay', async () => {
    const { device, exec } = await start();

    const off = await exec('echo 0 > /proc/power/relay2');
    const relays = await exec('cat /proc/power/relay*');
    const watts = await exec('cat /proc/power/active_pwr1 /proc/power/active_pwr2');
    const on = await exec('echo 1 > /proc/power/relay2; cat /proc/power/relay2');

    expect(off).toEqual({ status: 0, output: '' });
    expect(relays.output).toBe('1\n0\n1\n');
    expect(watts.output).toBe('40.000000000\n0.0\n');
    expect(on).toEqual({ status: 0, output: '1\n' });
    expect(device.received.map(({ text }) => text)).toContain('echo 0 > /proc/power/relay2');
  });

  it.each([
    ['cat /proc/power/relay4', 1],
    ['echo 0 > /proc/power/relay4', 1],
    ['echo off > /proc/power/relay1', 0],
    ['relay 1 off', 127],
  ])('changes nothing at %j, status %d', async (command, expected) => {
    const { device, exec } = await start();

    const { status } = await exec(command);

    expect(status).toBe(expected);
    expect(device.board.names().every((outlet) => device.board.isOn(outlet))).toBe(true);
  });

  it('knows only obsolete algorithms', async () => {
    const { device } = await start();

    const ssh = await openSsh(device, login);

    expect(await ssh.ended).toBe(255);
    expect(ssh.output).toContain('no matching key exchange method found');
  });

  it('takes a key', async () => {
    const { private: key, public: known } = makeSshKey('rsa');
    const { device } = await start({ authorizedKeys: [known] });

    const ssh = await openSsh(device, {
      user: 'ubnt',
      key,
      options: ['-T', '-q', ...legacySshOptions, '-oPubkeyAcceptedAlgorithms=+ssh-rsa'],
      command: 'cat /proc/power/relay1',
    });
    await ssh.ended;

    expect(ssh.output).toBe('1\n');
  });

  it('has a shell with a prompt', async () => {
    const { device } = await start();
    const ssh = await openSsh(device, { ...login, options: ['-tt', ...legacySshOptions] });

    await ssh.see('BusyBox v1.11.2');
    await ssh.see('MF.v2.1.11# ');
    ssh.say('cat /proc/power/v_rms1');
    const answer = await ssh.see('# ');
    ssh.say('exit');

    expect(answer).toBe('cat /proc/power/v_rms1\r\n122.129747152\r\nMF.v2.1.11# ');
    expect(await ssh.ended).toBe(0);
  });

  it('comes up with every outlet on', async () => {
    const { device, exec } = await start();
    await exec('echo 0 > /proc/power/relay3');

    await device.reboot();

    expect((await exec('cat /proc/power/relay*')).output).toBe('1\n1\n1\n');
  });

  it('restarts when it is told to, which turns outlets on and forgets what was not kept', async () => {
    const { device, exec } = await start();
    const before = device.running();
    await exec('echo 0 > /proc/power/relay3');
    await exec('echo users.status=disabled > /tmp/system.cfg');

    await exec('reboot');

    expect((await exec('cat /proc/power/relay3')).output).toBe('1\n');
    expect(device.running()).toEqual(before);
  });

  it('may have a BusyBox without checksums', async () => {
    const { exec } = await start({ checksums: false });

    const { status } = await exec('md5sum /tmp/system.cfg');

    expect(status).toBe(127);
  });

  it.each([
    ['ignores-commands', 0, true],
    ['drops-after-command', 255, false],
  ] as const)('%s', async (fault, expected, on) => {
    const { device, exec } = await start();
    device.faults.set(fault);

    const { status } = await exec('echo 0 > /proc/power/relay1');

    expect(status).toBe(expected);
    expect(device.board.isOn('1')).toBe(on);
  });
});
