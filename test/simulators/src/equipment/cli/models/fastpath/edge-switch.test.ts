import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { lacks } from '../../../../peer.ts';
import type { CliDevice } from '../../core.ts';
import { makeSshKey } from '../../host-key.ts';
import { type Client, legacySshOptions, openSsh, openTelnet } from '../../testing.ts';
import { type EdgeSwitchOptions, startEdgeSwitch } from './edge-switch.ts';

const login = { user: 'ubnt', password: 'sw1tch' };
const prompt = '(UBNT EdgeSwitch) #';

async function start(options: Partial<EdgeSwitchOptions> = {}): Promise<CliDevice> {
  const device = await startEdgeSwitch({
    username: 'ubnt',
    password: 'sw1tch',
    ports: 8,
    ...options,
  });
  onTestFinished(() => device.close());
  return device;
}

/** An ssh session in privileged mode. */
async function enabled(device: CliDevice): Promise<Client> {
  const ssh = await openSsh(device, login);
  await ssh.see(' >');
  ssh.say('enable');
  await ssh.see(' #');
  return ssh;
}

/** An ssh session in the interface mode of a port. */
async function onPort(device: CliDevice, port: string): Promise<Client> {
  const ssh = await enabled(device);
  ssh.say('configure');
  await ssh.see('(Config)#');
  ssh.say(`interface ${port}`);
  await ssh.see(`(Interface ${port})#`);
  return ssh;
}

describe.skipIf(lacks('ssh'))('an EdgeSwitch, to OpenSSH', () => {
  it('turns a port off, shows it, and turns it on in another mode', async () => {
    const device = await start();
    device.board.setWatts('2', 0);
    const ssh = await onPort(device, '0/3');

    ssh.say('poe opmode shutdown');
    const echoed = await ssh.see('(Interface 0/3)#');
    const off = device.board.isOn('3');
    ssh.say('show poe status 0/1-0/3');
    const status = await ssh.see('(Interface 0/3)#');
    ssh.say('show poe port 0/3');
    const settings = await ssh.see('(Interface 0/3)#');
    ssh.say('poe opmode passive24v');
    await ssh.see('(Interface 0/3)#');

    expect(echoed).toBe('poe opmode shutdown\r\n\r\n(UBNT EdgeSwitch) (Interface 0/3)#');
    expect(off).toBe(false);
    expect(status.replaceAll('\r\n', '\n')).toBe(
      `show poe status 0/1-0/3

Intf      Detection      Class   Consumed(W) Voltage(V) Current(mA) Temperature(C)
--------- -------------- ------- ----------- ---------- ----------- --------------
0/1       Good           Class2         4.50      53.46       84.18             43
0/2       Open Circuit   Unknown        0.00       0.00        0.00             43
0/3       Disabled       Unknown        0.00       0.00        0.00             43

(UBNT EdgeSwitch) (Interface 0/3)#`,
    );
    expect(settings).toContain('\r\n0/3       Shutdown     Enable    Dot3at');
    expect(device.board.get('3')).toEqual({ on: true, mode: 'passive24v', watts: 4.5 });
  });

  it('has one more column on newer firmware', async () => {
    const ssh = await enabled(await start({ consumedMeter: true }));

    ssh.say('show poe status 0/4');

    expect(await ssh.see(prompt)).toContain(
      'Current(mA) Consumed Meter(Whr) Temperature(C)\r\n' +
        '--------- -------------- ------- ----------- ---------- ----------- ------------------ --------------\r\n' +
        '0/4       Good           Class2         4.50      53.46       84.18             108.00             43\r\n',
    );
  });

  it('asks for a second password, and shows and keeps none', async () => {
    const device = await start({ enablePassword: 'root' });
    const ssh = await openSsh(device, login);
    await ssh.see(' >');

    ssh.say('enable');
    await ssh.see('Password:');
    ssh.say('wrong');
    const rejected = await ssh.see(' >');
    ssh.say('en');
    await ssh.see('Password:');
    ssh.say('root');
    await ssh.see(prompt);

    expect(rejected).toBe('*****\r\n\r\nIncorrect Password!\r\n\r\n(UBNT EdgeSwitch) >');
    expect(device.received.map(({ text }) => text)).toEqual(['enable', 'en']);
    expect(ssh.output).not.toMatch(/wrong|root|sw1tch/);
  });

  it('pages until that is turned off', async () => {
    const ssh = await enabled(await start({ ports: 48 }));

    ssh.say('show poe status all');
    await ssh.see('0/20');
    await ssh.see('--More-- or (q)uit');
    ssh.type('\r');
    const line = await ssh.see('--More-- or (q)uit');
    ssh.type('q');
    const quit = await ssh.see(prompt);
    ssh.say('terminal length 0');
    await ssh.see(prompt);
    ssh.say('show poe status all');
    const whole = await ssh.see(prompt);

    expect(line).toMatch(/^\r {18}\r0\/21 .*43\r\n--More-- or \(q\)uit$/);
    expect(quit).toBe(`\r${' '.repeat(18)}\r\r\n${prompt}`);
    expect(whole.match(/^0\//gm)).toHaveLength(48);
    expect(whole).not.toContain('More');
  });

  it('leaves no empty line behind an empty line', async () => {
    const ssh = await enabled(await start());

    ssh.say('');
    ssh.say('terminal length 0');

    expect(await ssh.see(`\r\n\r\n${prompt}`)).toBe(
      `\r\n${prompt}terminal length 0\r\n\r\n${prompt}`,
    );
  });

  it.each([
    ['n', 'Configuration Not Saved!'],
    ['y', 'Configuration Saved!'],
  ])('asks before logout whether to save; %s', async (key, answer) => {
    const device = await start();
    const ssh = await onPort(device, '0/1');
    ssh.say('poe opmode shutdown');
    await ssh.see('#');
    ssh.say('end');
    await ssh.see(prompt);

    ssh.say('logout');
    await ssh.see('Would you like to save them now? (y/n) ');
    ssh.type(key);
    await ssh.see(answer);

    expect(await ssh.ended).toBe(255);
    await device.reboot();
    expect(device.board.isOn('1')).toBe(key === 'n');
  });

  it.each([
    ['show poe nonsense', /^show poe nonsense\r\n {28}\^\r\n% Invalid input detected at/],
    ['poe opmode shutdown', /\r\n% Invalid input/],
    ['show', /Incomplete command/],
    ['show poe status 0/9', /An invalid interface/],
  ])('rejects %j', async (line, answer) => {
    const device = await start();
    const ssh = await enabled(device);

    ssh.say(line);

    expect(await ssh.see(prompt)).toMatch(answer);
    expect(device.board.names().every((outlet) => device.board.isOn(outlet))).toBe(true);
  });

  it.each(['0', '61', 'x'])('refuses to reset for %s seconds', async (seconds) => {
    const device = await start();
    const ssh = await onPort(device, '0/1');

    ssh.say(`poe reset ${seconds}`);

    expect(await ssh.see('(Interface 0/1)#')).toContain('% Invalid input');
    expect(device.board.isOn('1')).toBe(true);
  });

  it('counts the ports of a stack by member, under a name of brackets and spaces', async () => {
    const device = await start({ stack: 2, ports: 4, name: 'rack (4) #2' });
    const ssh = await onPort(device, '2/0/4');

    ssh.say('poe opmode shutdown');
    await ssh.see('(rack (4) #2) (Interface 2/0/4)#');
    ssh.say('show running-config interface 2/0/4');
    const shown = await ssh.see('(Interface 2/0/4)#');

    expect(device.board.isOn('2/0/4')).toBe(false);
    expect(shown).toContain('interface  2/0/4\r\npoe opmode shutdown\r\nexit\r\n');
  });

  it('takes commands that were piped in, and has no exec channel', async () => {
    const device = await start();
    const piped = await openSsh(device, { ...login, options: ['-T'] });
    piped.endWith('enable\nconfigure\ninterface 0/2\npoe opmode shutdown\nexit\nexit\n');
    const pipedStatus = await piped.ended;
    const exec = await openSsh(device, {
      ...login,
      options: ['-T'],
      command: 'show poe status all',
    });
    const execStatus = await exec.ended;

    expect([pipedStatus, execStatus]).toEqual([255, 255]);
    expect(device.board.isOn('2')).toBe(false);
    expect(exec.output).toContain('exec request failed');
  });
});

describe.skipIf(lacks('ssh'))('signing in to an EdgeSwitch', () => {
  it.each([['password'], ['keyboard-interactive']] as const)('works by %s', async (method) => {
    const device = await start({ signIn: [method] });
    const ssh = await openSsh(device, login);

    await ssh.see(' >');

    expect(device.sessions.now).toBe(1);
  });

  it('works by key, of those that it knows', async () => {
    const [known, other] = [makeSshKey(), makeSshKey()];
    const device = await start({ signIn: ['publickey'], authorizedKeys: [known.public] });

    const stranger = await openSsh(device, { user: 'ubnt', key: other.private });
    const status = await stranger.ended;
    const ssh = await openSsh(device, { user: 'ubnt', key: known.private });
    await ssh.see(' >');

    expect(status).toBe(255);
    expect(stranger.output).toContain('Permission denied (publickey)');
  });

  it('happens inside the session where ssh lets everybody in', async () => {
    const device = await start({ signIn: ['none'] });
    const ssh = await openSsh(device, { user: 'ubnt' });

    await ssh.see('User:');
    ssh.say('ubnt');
    await ssh.see('Password:');
    ssh.say('sw1tch');
    await ssh.see(' >');

    expect(device.sessions.opened).toBe(1);
    expect(ssh.output).not.toContain('sw1tch');
  });

  it('takes a client that accepts what is obsolete, where the device knows nothing else', async () => {
    const device = await start({ legacyOnly: true });

    const modern = await openSsh(device, login);
    const status = await modern.ended;
    const ssh = await openSsh(device, { ...login, options: ['-tt', ...legacySshOptions] });
    await ssh.see(' >');

    expect(status).toBe(255);
    expect(modern.output).toContain('no matching key exchange method found');
  });

  it('keeps the host key that it was given', async () => {
    const { private: hostKey } = makeSshKey();

    const [first, second, other] = [
      await start({ hostKey }),
      await start({ hostKey }),
      await start(),
    ];

    expect(first.hostKey).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
    expect(second.hostKey).toBe(first.hostKey);
    expect(other.hostKey).not.toBe(first.hostKey);
  });
});

describe.skipIf(lacks('curl'))('an EdgeSwitch, to a telnet client', () => {
  it('asks for name and password, and turns a port off', async () => {
    const device = await start({ telnetPort: 0, enablePassword: '' });
    const telnet = openTelnet(device.host, device.telnetPort);

    await telnet.see('(UBNT EdgeSwitch)\r\nUser:');
    telnet.say('ubnt');
    await telnet.see('Password:');
    telnet.say('wrong');
    await telnet.see('User:');
    telnet.say('ubnt');
    await telnet.see('Password:');
    telnet.say('sw1tch');
    await telnet.see(' >');
    telnet.say('enable');
    await telnet.see('Password:');
    telnet.say('');
    await telnet.see(prompt);
    for (const line of ['configure', 'interface 0/8', 'poe opmode shutdown', 'end']) {
      telnet.say(line);
      await telnet.see('#');
    }
    telnet.say('quit');
    await telnet.see('(y/n) ');
    telnet.type('n');
    await telnet.ended;

    expect(device.board.isOn('8')).toBe(false);
    expect(telnet.output).not.toMatch(/sw1tch|\xff/);
    await vi.waitFor(() => expect(device.sessions).toEqual({ now: 0, most: 1, opened: 1 }));
  });
});
