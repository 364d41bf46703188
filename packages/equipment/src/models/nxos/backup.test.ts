import { type NxosOptions, startNxos } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { isSame } from '../configuration/text.ts';
import { itIsUnsavedAfter, itMasks, itReplaysRestore } from '../testing/configurations.ts';
import { itSurvives } from '../testing/every-fault.ts';
import { type account, backUp, bytesOf, simulated } from '../testing/simulated-device.ts';
import { backup, nxos as dialect } from './nxos.ts';

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
    expect(startup && (await isSame(bytesOf(content), startup, model))).toBe(true);
  });

  itIsUnsavedAfter(sit, ['uplink', 'spare']);

  itMasks(sit, {
    secret: /s3cret|5ec2e7/gi,
    least: 16,
    kept: ['key chain ospf-keys', 'no password strength-check', 'skolo sshkey ssh-ed25519 AAAAC3'],
  });

  itReplaysRestore((configuration) => sit({ configuration }), dialect, {
    configuration:
      'hostname nexus-1\nvlan 10\n  name phones\ninterface Ethernet1/1\n  description uplink\nline vty\n  session-limit 16\n',
    begin: 'configure terminal',
  });

  it.each([
    ['nothing', ''],
    ['an error', '% Permission denied for the role\n'],
    ['the end of one', 'line vty\n  session-limit 16\n'],
  ])('is not %s', async (_what, text) => {
    const model = backup();

    expect(await model.incomplete({ bytes: Buffer.from(text) })).toMatch(/start|version/);
  });

  itSurvives({
    sit: (small) =>
      sit(small ? { configuration: 'hostname nexus-1\nvlan 10\n  name phones\n' } : {}),
    truth: (device) => device.running(),
  });
});
