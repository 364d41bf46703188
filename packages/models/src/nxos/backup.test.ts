import { type NxosOptions, startNxos, typeInto } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { createMask } from '../configuration/mask.ts';
import { isSame } from '../configuration/text.ts';
import { itSurvives } from '../testing/every-fault.ts';
import { account, backUp, bytesOf, simulated } from '../testing/simulated-device.ts';
import { backup } from './backup.ts';
import { nxos as dialect } from './dialect.ts';

async function sit(options: Partial<NxosOptions> = {}) {
  const start = (login: typeof account) => startNxos({ ...login, secondMs: 1, ...options });
  return { ...(await simulated(start, { model: 'nxos' })), model: backup() };
}

describe('the configuration of a Nexus', () => {
  it('is what it shows, byte for byte, with its serial number and name', async () => {
    const { device, model, connect } = await sit();

    const { content, identity, startup } = await backUp(model, connect());

    const withoutTimes = (text: Buffer) =>
      text
        .toString()
        .replace(/^!Time.*\n/gm, '')
        .trimEnd();
    expect(withoutTimes(bytesOf(content))).toBe(withoutTimes(device.running()));
    expect(identity).toEqual({ serial: 'FDO21120ABC', hostname: 'nexus-1' });
    expect(startup && isSame(bytesOf(content), startup, model)).toBe(true);
  });

  it('is unsaved when it would boot with another one', async () => {
    const { model, connect } = await sit();
    const cli = await connect().cli(dialect);
    for (const line of [
      'configure terminal',
      'interface Ethernet1/2',
      'description spare',
      'end',
    ]) {
      await cli.run(line);
    }

    const { content, startup } = await backUp(model, connect());

    expect(startup && isSame(bytesOf(content), startup, model)).toBe(false);
  });

  it('shows none of its secrets once they are masked', async () => {
    const { device, model } = await sit();
    const text = device.running().toString();

    const masked = createMask(Buffer.alloc(32, 1)).text(text, model.secrets);

    expect(text.match(/s3cret|5ec2e7/gi)?.length).toBeGreaterThan(15);
    expect(masked.split('\n').filter((line) => /s3cret|5ec2e7/i.test(line))).toEqual([]);
    expect(masked).toContain('key chain ospf-keys');
    expect(masked).toContain('no password strength-check');
    expect(masked).toContain('skolo sshkey ssh-ed25519 AAAAC3');
  });

  it('gets back into a switch that is fresh from the factory, by the steps', async () => {
    const { device, inventory, model } = await sit();
    const version = device.running();
    const fresh = await sit({ configuration: '' });

    const steps = model.restore.steps(version, {
      device: inventory,
      id: 'abc',
      time: '2026-11-20T10:00:00Z',
    });
    const typed = steps
      .flatMap(({ lines }) => lines)
      .map((line) => ({ keys: `${line}\r`, until: '# ' }));
    const last = { keys: 'show hostname\r', until: 'nexus-1 \r\n' };
    await typeInto(fresh.device, account, '# ', [...typed, last]);

    expect(isSame(fresh.device.running(), version, model)).toBe(true);
    expect(isSame(fresh.device.startup(), version, model)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['an error', '% Permission denied for the role\n'],
    ['the end of one', 'line vty\n  session-limit 16\n'],
  ])('is not %s', (_what, text) => {
    const model = backup();

    expect(model.incomplete({ bytes: Buffer.from(text) })).toMatch(/begin|version/);
  });

  itSurvives({
    sit: (small) =>
      sit(small ? { configuration: 'hostname nexus-1\nvlan 10\n  name phones\n' } : {}),
    truth: (device) => device.running(),
  });
});
