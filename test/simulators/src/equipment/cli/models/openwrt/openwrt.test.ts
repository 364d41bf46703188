import { describe, expect, it, onTestFinished } from 'vitest';
import { lacks } from '../../../../peer.ts';
import { execOn, openSsh } from '../../testing.ts';
import { type OpenwrtOptions, startOpenwrt } from './openwrt.ts';

const login = { user: 'root', password: 'op3n' };

async function start(options: Partial<OpenwrtOptions> = {}) {
  const device = await startOpenwrt({ username: 'root', password: 'op3n', ports: 3, ...options });
  onTestFinished(() => device.close());
  const exec = (command: string) => execOn(device, login, command);
  return { device, exec };
}

describe.skipIf(lacks('ssh'))('an OpenWrt switch, to OpenSSH', () => {
  it.each([
    [`ubus call poe manage '{"port":"lan9","enable":false}'`, 2, 'Invalid argument'],
    [`ubus call poe manage '{"port":"lan1","enable":"no"}'`, 2, 'Invalid argument'],
    [`ubus call poe manage '{"port":"lan1"'`, 2, 'Invalid argument'],
    [`ubus call poe manage`, 2, 'Invalid argument'],
    [`ubus call poe turn '{}'`, 3, 'Method not found'],
    [`ubus call network.interface.wan down`, 4, 'Not found'],
  ])('rejects %s', async (command, status, words) => {
    const { device, exec } = await start();

    const answer = await exec(command);

    expect(answer).toEqual({ status, output: `Command failed: ${words}\n` });
    expect(device.board.names().every((port) => device.board.isOn(port))).toBe(true);
  });

  it('has a shell with a prompt, and comes up with its ports on', async () => {
    const { device } = await start();
    const ssh = await openSsh(device, login);

    await ssh.see('root@OpenWrt:~# ');
    ssh.say(`ubus call poe manage '{"port": "lan1", "enable": false}'`);
    await ssh.see('root@OpenWrt:~# ');
    const off = device.board.isOn('lan1');
    await device.reboot();

    expect([off, device.board.isOn('lan1')]).toEqual([false, true]);
    expect(await ssh.ended).toBe(255);
  });
});
