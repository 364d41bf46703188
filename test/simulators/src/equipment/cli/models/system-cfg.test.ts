import { describe, expect, it, onTestFinished } from 'vitest';
import { lacks } from '../../../peer.ts';
import { execOn, legacySshOptions, openSsh } from '../testing.ts';
import { startUnifiSwitch } from './fastpath/unifi-switch.ts';
import { startMpower } from './mpower.ts';

const kinds = [
  { name: 'a UniFi switch', start: startUnifiSwitch, options: [], serial: '788a20de9abc' },
  {
    name: 'an mPower strip',
    start: startMpower,
    options: legacySshOptions,
    serial: '24A43CDEF012',
  },
];

describe.skipIf(lacks('ssh')).each(kinds)('the configuration of $name', (kind) => {
  async function start() {
    const device = await kind.start({ username: 'ubnt', password: 'ubnt1' });
    onTestFinished(() => device.close());
    const login = { user: 'ubnt', password: 'ubnt1' };
    const exec = (command: string) => execOn(device, { ...login, options: kind.options }, command);
    const shell = () => openSsh(device, { ...login, options: ['-tt', ...kind.options] });
    return { device, exec, shell };
  }

  it('is typed, kept, and otherwise gone after a power failure', async () => {
    const { device, exec, shell } = await start();
    const before = device.startup();
    const ssh = await shell();
    await ssh.see('# ');

    for (const line of ["cat > /tmp/system.cfg <<'END'", 'users.status=enabled', 'END'])
      ssh.say(line);
    ssh.say('echo done');
    await ssh.see('\r\ndone');
    const typed = [device.running().toString(), device.startup().equals(before)];
    await device.reboot();
    const lost = device.running().equals(before);
    await exec('echo users.status=disabled > /tmp/system.cfg');
    await exec('cfgmtd -w -p /etc/');
    await device.reboot();

    expect(typed).toEqual(['users.status=enabled\n', true]);
    expect(lost).toBe(true);
    expect(device.running().toString()).toBe('users.status=disabled\n');
  });
});
