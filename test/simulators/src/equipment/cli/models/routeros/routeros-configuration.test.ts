import { describe, expect, it, onTestFinished } from 'vitest';
import { lacks } from '../../../../peer.ts';
import { sit } from '../../clients/netmiko.ts';
import { execOn } from '../../testing.ts';
import { type RouterosOptions, startRouteros } from './routeros.ts';
import { RouterosConfiguration } from './routeros-configuration.ts';

const login = { user: 'admin', password: 'm1krotik' };
const about = { version: '7.15.3', serial: 'HF1', isShortCircuit: false, added: [] };

async function start(options: Partial<RouterosOptions> = {}) {
  const device = await startRouteros({ username: 'admin', password: 'm1krotik', ...options });
  onTestFinished(() => device.close());
  async function exec(command: string) {
    const { status, output } = await execOn(device, login, command);
    return { status, output: output.replaceAll('\r\n', '\n') };
  }
  return { device, exec };
}

describe('an exported configuration', () => {
  it('has lines that are broken where there is no more room, and is the same when it is read back', () => {
    const text = new RouterosConfiguration().export(['show-sensitive'], about);

    const again = new RouterosConfiguration(text).export(['show-sensitive'], about);

    expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80);
    expect(text).toContain('name=\\\n    l2tp-out1 password=S3cretL2tp user=rack4');
    expect(text).toMatch(/ (?:preshared|private)-key=\\\n {4}"S3cretWireguard/);
    expect(again.split('\n').slice(1)).toEqual(text.split('\n').slice(1));
  });
});

describe.skipIf(lacks('ssh'))('a MikroTik that exports, to OpenSSH', () => {
  it('shows secrets of version 7 only when it is told to', async () => {
    const { device, exec } = await start();

    const plain = await exec('/export');
    const whole = await exec('/export show-sensitive');

    expect(plain.output).toMatch(
      /^# \d{4}-\d\d-\d\d [\d:]{8} by RouterOS 7\.15\.3\n# software id = PEWV-11HC\n#\n# model = RB5009UPr\+S\+\n# serial number = HF9087654321\n\/interface bridge\nadd name=bridge1\n/,
    );
    expect(plain.output).not.toMatch(/S3cret(?!Community|OfTheScript)/);
    expect(whole.output).toContain('secret=S3cretIpsec\n');
    expect(
      whole.output.replace('# poe-out status: short_circuit\n', '').split('\n').slice(1),
    ).toEqual(device.running().toString().split('\n').slice(1));
  });

  it('shows secrets of version 6 always, and knows no word for it', async () => {
    const { exec } = await start({ version: '6.49.17' });

    const plain = await exec('/export');
    const rejected = await exec('/export show-sensitive');

    expect(plain.output).toMatch(/^# \w{3}\/\d\d\/\d{4} [\d:]{8} by RouterOS 6\.49\.17\n/);
    expect(plain.output).toContain('secret=S3cretIpsec\n');
    expect(rejected).toEqual({
      status: 0,
      output: 'expected end of command (line 1 column 9)\n',
    });
  });

  it('has a comment that comes and goes', async () => {
    const { exec } = await start();

    const [first, second] = [await exec('/export'), await exec('/export')];

    expect([first, second].map(({ output }) => output.includes('# poe-out status'))).toEqual([
      false,
      true,
    ]);
  });
});

describe('netmiko, to a MikroTik', () => {
  it('reads its export', async (context) => {
    const { netmiko } = await sit(context, startRouteros);

    await netmiko.connect('mikrotik_routeros');
    const text = await netmiko.call('send_command_timing', ['/export show-sensitive']);

    expect(text).toMatch(/^# \d{4}-\d\d-\d\d [\d:]{8} by RouterOS 7\.15\.3\n/m);
    expect(text).toContain('\nset name="rack 4 router"\n');
    expect(text).toContain('\nset address=10.0.0.9 from=rack4@example.com password=S3cretMail');
  });
});
