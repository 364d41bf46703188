import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { peer } from '../../peer.ts';
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

/** Turns a port off, as far as the device lets it. */
async function turnOff(ssh: Client, port: number): Promise<void> {
  ssh.say('configure');
  await ssh.see('(Config)#');
  ssh.say(`interface 0/${port}`);
  await ssh.see(`(Interface 0/${port})#`);
  ssh.say('poe opmode shutdown');
}

describe.skipIf(peer('ssh') === undefined)('a device with a command line', () => {
  it.each(['down', 'busy'] as const)('that is %s takes no connection', async (fault) => {
    const device = await start(fault);

    const ssh = await openSsh(device, login);
    const status = await ssh.ended;

    expect(status).toBe(255);
    expect(ssh.output).toMatch(/reset|closed/);
    expect(device.sessions.opened).toBe(0);
  });

  it('loses its sessions when it goes down', async () => {
    const device = await start();
    const ssh = await enabled(device);

    device.faults.set('down');
    ssh.say('show poe status 0/1');

    expect(await ssh.ended).toBe(255);
    expect(device.received.map(({ text }) => text)).toEqual(['enable']);
  });

  it('is back when a fault is cleared', async () => {
    const device = await start('down');

    device.faults.clear();
    const ssh = await openSsh(device, login);

    await ssh.see(' >');
  });

  it('says nothing when it is wedged', async () => {
    const device = await start('wedged', { telnetPort: 0 });

    for (const port of [device.port, device.telnetPort ?? 0]) {
      const socket = connect(port, device.host);
      onTestFinished(() => void socket.destroy());
      await once(socket, 'connect');
      socket.write('SSH-2.0-test\r\n');
    }
    const ssh = await openSsh(device, { ...login, options: ['-tt', '-oConnectTimeout=1'] });

    expect(await ssh.ended).toBe(255);
    expect(ssh.output).toContain('timed out');
  });

  it('falls silent when it wedges in the middle of a session, and does nothing', async () => {
    const device = await start();
    const ssh = await enabled(device);
    await turnOff(ssh, 3);
    await ssh.see('(Interface 0/3)#');

    device.faults.set('wedged');
    ssh.say('poe opmode auto');
    // A new session that is wedged as well shows that the line above has had its time.
    const late = await openSsh(device, { ...login, options: ['-tt', '-oConnectTimeout=1'] });
    await late.ended;

    expect(ssh.output).toMatch(/\(Interface 0\/3\)#$/);
    expect(device.board.isOn('3')).toBe(false);
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

  it('drops after it has done what it was told', async () => {
    const device = await start('drops-after-command');
    const ssh = await enabled(device);

    await turnOff(ssh, 7);
    const status = await ssh.ended;

    expect(status).toBe(255);
    expect(device.board.isOn('7')).toBe(false);
    expect(ssh.output).toMatch(/poe opmode shutdown\r\n/);
  });

  it('keeps its pager', async () => {
    const device = await start('pager-stays');
    const ssh = await enabled(device);

    ssh.say('terminal length 0');
    await ssh.see(prompt);
    ssh.say('show poe status all');

    await ssh.see('--More--');
  });

  it('rejects any password', async () => {
    const device = await start('rejects-login');

    const ssh = await openSsh(device, login);

    expect(await ssh.ended).toBe(255);
    expect(ssh.output).toContain('Permission denied');
  });

  it('shows its prompt before the prompt', async () => {
    const device = await start('prompt-in-banner');
    const ssh = await openSsh(device, login);

    await ssh.see(`\r\n${prompt}`);
    const rest = await ssh.see(' >');

    expect(rest).toBe('\r\nThat was not it yet.\r\n\r\n(UBNT EdgeSwitch) >');
  });

  it('only pretends to obey', async () => {
    const device = await start('ignores-commands');
    const ssh = await enabled(device);

    await turnOff(ssh, 7);
    const answer = await ssh.see('(Interface 0/7)#');

    expect(answer).toBe('poe opmode shutdown\r\n\r\n(UBNT EdgeSwitch) (Interface 0/7)#');
    expect(device.board.isOn('7')).toBe(true);
  });

  it('garbles its answers', async () => {
    const device = await start('garbled');
    const ssh = await enabled(device);

    ssh.say('show poe status 0/1');
    const answer = await ssh.see(prompt);

    expect(answer).toMatch(/[\x80-\xff]/);
    expect(answer).not.toMatch(/Intf|0\/1 {2}/);
  });

  it('knows no faults of other kinds of device', async () => {
    const device = await start();

    expect(() => device.faults.set('login-page')).toThrow(RangeError);
  });
});
