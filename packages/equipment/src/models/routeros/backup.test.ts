import { DeviceRejected } from '@skolo/equipment/transports';
import { type RouterosOptions, startRouteros, typeInto } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { createMask } from '../configuration/mask.ts';
import { isSame } from '../configuration/text.ts';
import { answering } from '../testing/answering.ts';
import { isMasked, stepsOf } from '../testing/configurations.ts';
import { account, backUp, bytesOf, simulated } from '../testing/simulated-device.ts';
import { backup } from './backup.ts';

async function sit(options: Partial<RouterosOptions> = {}) {
  const start = (login: typeof account) => startRouteros({ ...login, secondMs: 1, ...options });
  return {
    ...(await simulated(start, { model: 'routeros', transport: 'http' })),
    model: backup(),
  };
}

/** As received over ssh. */
function withReturns(text: Buffer): Buffer {
  return Buffer.from(text.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
}

describe('the configuration of a MikroTik', () => {
  it.each([
    ['7.15.3', 'show-sensitive'],
    ['6.49.17', 'export'],
  ])('is its export with all secrets, byte for byte (%s)', async (version, word) => {
    const { device, model, connect } = await sit({ version });

    const { content, identity, startup, changedBy } = await backUp(model, connect());

    const withoutTime = (text: Buffer) => text.toString().replace(/^# (?:[\dn]|poe)[^\n]*\n/gm, '');
    expect(withoutTime(bytesOf(content))).toBe(withoutTime(withReturns(device.running())));
    expect(bytesOf(content).toString()).toContain('secret=S3cretIpsec\r\n');
    expect(identity).toEqual({ serial: 'HF9087654321', hostname: 'rack 4 router' });
    expect(startup).toBeUndefined();
    expect(changedBy).toBe('ann');
    expect(device.received.at(-3)?.text).toContain(word);
  });

  it('is rejected where the login may not see it', async () => {
    const { device, model, connect } = await sit();
    device.faults.set('error-text');

    const failed = backUp(model, connect());

    await expect(failed).rejects.toThrow(DeviceRejected);
    await expect(failed).rejects.toThrow('not enough permissions');
  });

  it('is not believed without its secrets', async () => {
    const { model, inventory } = await sit();
    const exec = (command: string) =>
      Buffer.from(
        command === '/export'
          ? '# 2026-11-20 10:00:00 by RouterOS 7.99\n/ip pool\n'
          : 'expected end of command (line 1 column 9)\n',
      );

    const failed = model.read(answering(inventory, exec));

    await expect(failed).rejects.toThrow('has RouterOS 7, but rejects "/export show-sensitive"');
  });

  it('shows none of its secrets once they are masked', async () => {
    const { device, model } = await sit();
    const kept = [
      ...['use-ipsec=yes', 'comment=skia-rpi2-rack4-shelf1-001'],
      ...['supplicant-identity=MikroTik', '/interface bridge port'],
    ];
    for (const text of [device.running(), withReturns(device.running())]) {
      isMasked(text.toString(), model, { secret: /s3cret/gi, least: 19, kept });
    }
  });

  it.each([
    '/snmp set enabled=yes trap-community=§ trap-version=2',
    '/snmp\r\nset enabled=yes trap-community=\\\r\n    § trap-version=2',
    '/container\r\nadd cmd="--token=§ --url=wss://10.0.0.9" interface=veth1',
    '/container\r\nadd cmd="run -t \\\r\n    § tunnel" interface=veth1',
    '/container add entrypoint="sh -c \\"login §\\"" interface=veth1',
  ])('shows no secret in a command of a container, or as the community of traps: %s', (text) => {
    const { secrets } = backup();

    const masked = createMask(Buffer.alloc(32, 1)).text(text.replace('§', 'CANARY'), secrets);

    expect(masked).not.toContain('CANARY');
    expect(masked).toMatch(/interface=veth1|trap-version=2/);
  });

  it('shows another word where a secret that is broken into lines has changed', async () => {
    const { device, model } = await sit();
    const text = device.running().toString();
    const mask = createMask(Buffer.alloc(32, 1));
    const other = text.replace('so long that', 'so very long that');

    expect(other).not.toBe(text);
    expect(mask.text(other, model.secrets)).not.toBe(mask.text(text, model.secrets));
  });

  it('is exactly the version after the steps, whatever was there', async () => {
    const sitting = await sit();
    const { device, model } = sitting;
    const version = withReturns(device.running());
    const other = await sit({ configuration: '/ip pool\nadd name=gone ranges=10.0.0.1\n' });

    const [copy, reset] = stepsOf(sitting, version);
    const file = copy?.lines[1]?.split(':').at(-1) ?? '';
    await other.connect().upload(file, version);
    await typeInto(other.device, account, 'm> ', [
      { keys: `${reset?.lines[0]}\r`, until: '[y/N]: ' },
      { keys: 'y', until: 'will be reset' },
    ]);

    expect(await isSame(withReturns(other.device.running()), version, model)).toBe(true);
    expect(copy?.lines).toEqual([
      'skolo backup show device-1 --version abc --secrets -o device-1.rsc',
      `scp -O -P ${device.port} device-1.rsc admin@127.0.0.1:device-1.rsc`,
    ]);
  });
});
