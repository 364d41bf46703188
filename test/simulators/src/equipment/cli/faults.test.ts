import { connect } from 'node:net';
import { errorCode } from '@skolo/base';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lacks } from '../../peer.ts';
import type { DeviceFault } from '../device.ts';
import type { CliDevice } from './core.ts';
import { type EdgeSwitchOptions, startEdgeSwitch } from './models/fastpath/edge-switch.ts';
import { type Client, openSsh } from './testing.ts';

const login = { user: 'ubnt', password: 'sw1tch' };
const prompt = '(UBNT EdgeSwitch) #';

async function start(fault?: DeviceFault, options: Partial<EdgeSwitchOptions> = {}) {
  const device = await startEdgeSwitch({ username: 'ubnt', password: 'sw1tch', ...options });
  onTestFinished(() => device.close());
  if (fault) device.faults.set(fault);
  return device;
}

async function enabled(device: CliDevice): Promise<Client> {
  const ssh = await openSsh(device, login);
  await ssh.see(' >');
  ssh.say('enable');
  await ssh.see(prompt);
  return ssh;
}

it('closes its port while it is down', async () => {
  const device = await start();
  const connected = () =>
    new Promise<string>((resolve) => {
      const socket = connect({ port: device.port, host: device.host });
      socket.once('error', (error) => resolve(errorCode(error) ?? ''));
      socket.once('connect', () => {
        socket.destroy();
        resolve('connected');
      });
    });

  device.faults.set('down');
  expect(await connected()).toBe('ECONNREFUSED');

  device.faults.clear();
  await expect.poll(connected).toBe('connected');
});

describe.skipIf(lacks('ssh'))('a device with a command line', () => {
  it('loses its sessions when it goes down', async () => {
    const device = await start();
    const ssh = await enabled(device);

    device.faults.set('down');
    ssh.say('show poe status 0/1');

    expect(await ssh.ended).toBe(255);
    expect(device.received.map(({ text }) => text)).toEqual(['enable']);
  });

  it('takes its time when it is slow', async () => {
    const device = await start();
    const ssh = await enabled(device);
    device.faults.set('slow');
    device.faults.slowMs = 300;
    const before = performance.now();

    ssh.say('show poe status 0/1');
    await ssh.see(prompt);

    // Timers may be early by less than a millisecond.
    expect(performance.now() - before).toBeGreaterThan(299);
  });

  it('drops in the middle of an answer', async () => {
    const device = await start('drops-mid-way');
    const ssh = await enabled(device);

    ssh.say('show poe status all');
    const status = await ssh.ended;

    expect(status).toBe(255);
    expect(ssh.output).toContain('0/5 ');
    expect(ssh.output).not.toContain('0/20 ');
    expect(ssh.output).not.toMatch(/#$/);
  });

  it('keeps its pager', async () => {
    const device = await start('pager-stays');
    const ssh = await enabled(device);

    ssh.say('terminal length 0');
    await ssh.see(prompt);
    ssh.say('show poe status all');

    await ssh.see('--More--');
  });

  it('shows its prompt before the prompt', async () => {
    const device = await start('prompt-in-banner');
    const ssh = await openSsh(device, login);

    await ssh.see(`\r\n${prompt}`);
    const rest = await ssh.see(' >');

    expect(rest).toBe('\r\nThat was not it yet.\r\n\r\n(UBNT EdgeSwitch) >');
  });

  it('knows no faults of other kinds of device', async () => {
    const device = await start();

    expect(() => device.faults.set('login-page')).toThrow(RangeError);
  });
});
