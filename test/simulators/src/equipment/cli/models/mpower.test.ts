import { describe, expect, it, onTestFinished } from 'vitest';
import { lacks } from '../../../peer.ts';
import { makeSshKey } from '../host-key.ts';
import { execOn, legacySshOptions, openSsh } from '../testing.ts';
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
  const exec = (command: string) =>
    execOn(device, { ...login, options: legacySshOptions }, command);
  return { device, exec };
}

describe.skipIf(lacks('ssh'))('an mPower strip, to OpenSSH', () => {
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

    const options = [...legacySshOptions, '-oPubkeyAcceptedAlgorithms=+ssh-rsa'];
    const { output } = await execOn(
      device,
      { user: 'ubnt', key, options },
      'cat /proc/power/relay1',
    );

    expect(output).toBe('1\n');
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
});
