import { createHash } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { peer } from '../../../peer.ts';
import { legacySshOptions, openSsh } from '../testing.ts';
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

describe.skipIf(peer('ssh') === undefined).each(kinds)('the configuration of $name', (kind) => {
  async function start() {
    const device = await kind.start({ username: 'ubnt', password: 'ubnt1' });
    onTestFinished(() => device.close());
    const login = { user: 'ubnt', password: 'ubnt1' };
    async function exec(command: string) {
      const ssh = await openSsh(device, {
        ...login,
        options: ['-T', '-q', ...kind.options],
        command,
      });
      return { status: await ssh.ended, output: ssh.output };
    }
    const shell = () => openSsh(device, { ...login, options: ['-tt', ...kind.options] });
    return { device, exec, shell };
  }

  it('is a file, with its size and checksum', async () => {
    const { device, exec } = await start();

    const text = await exec('cat /tmp/system.cfg');
    const size = await exec('wc -c /tmp/system.cfg');
    const sum = await exec('md5sum /tmp/system.cfg');
    const board = await exec('cat /etc/board.info');

    expect(text).toEqual({ status: 0, output: device.running().toString() });
    expect(size.output).toBe(`${device.running().length} /tmp/system.cfg\n`);
    expect(sum.output).toContain(createHash('md5').update(device.running()).digest('hex'));
    expect(board.output).toContain(kind.serial);
  });

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

  it('comes cut short, though its size is told in full', async () => {
    const { device, exec } = await start();
    device.faults.set('cut-short');

    const text = await exec('cat /tmp/system.cfg');
    const size = await exec('wc -c /tmp/system.cfg');

    expect(text.status).toBe(0);
    expect(text.output.length).toBeLessThan(device.running().length);
    expect(size.output).toContain(String(device.running().length));
  });
});
