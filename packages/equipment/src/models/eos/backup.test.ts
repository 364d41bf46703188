import { startEos } from '@skolo/simulators';
import { describe, expect, it, vi } from 'vitest';
import { isSame } from '../configuration/text.ts';
import { itIsUnsavedAfter, itMasks, itReplaysRestore } from '../testing/configurations.ts';
import { itSurvives } from '../testing/every-fault.ts';
import { type account, backUp, bytesOf, simulated } from '../testing/simulated-device.ts';
import { backup, eos as dialect } from './eos.ts';

const enablePassword = 'canary-enable-19c';

async function sit(options: Partial<Parameters<typeof startEos>[0]> = {}) {
  vi.stubEnv('SKOLO_TEST_ENABLE', enablePassword);
  const start = (login: typeof account) =>
    startEos({ ...login, secondMs: 1, enablePassword, ...options });
  const login = { enablePassword: { env: 'SKOLO_TEST_ENABLE' } };
  return { ...(await simulated(start, { model: 'eos', login })), model: backup() };
}

function withoutTime(text: Buffer) {
  return text.toString().replace(/^! Time: .*\n/m, '');
}

describe('the configuration of an Arista switch', () => {
  it('is what it shows, byte for byte, with its serial number and name', async () => {
    const { device, model, connect, transcript } = await sit();

    const { content, identity, startup } = await backUp(model, connect());

    expect(withoutTime(bytesOf(content))).toBe(withoutTime(device.running()));
    expect(identity).toEqual({ serial: 'SSJ17190123', hostname: 'arista-1' });
    expect(startup && (await isSame(bytesOf(content), startup, model))).toBe(true);
    expect(transcript.join('')).not.toMatch(/canary/);
  });

  itIsUnsavedAfter(sit, ['uplink', 'spare']);

  itMasks(sit, {
    secret: /s3cret/gi,
    least: 21,
    kept: [
      '   name hosts # not phones',
      'skolo ssh-key ssh-ed25519 AAAAC3',
      'mac security profile uplinks',
    ],
  });

  itReplaysRestore((configuration) => sit({ configuration }), dialect, {
    configuration:
      'hostname arista-1\n!\nvlan 10\n   name phones\n!\ninterface Ethernet1\n   description uplink\n!\n',
    begin: 'configure session skolo-restore',
    before: ['enable'],
  });

  it.each([
    ['nothing', '', 'start'],
    ['an error', "% Authorization denied for command 'show running-config'\n", 'start'],
    [
      'the beginning of one',
      '! Command: show running-config\n! device: x (y)\n!\nvlan 1\n',
      'vlan 1',
    ],
    ['another one', '! Command: show running-config\nend\n', 'device'],
  ])('is not %s', async (_what, text, why) => {
    expect(await backup().incomplete({ bytes: Buffer.from(text) })).toContain(why);
  });

  itSurvives({
    sit: (small) => sit(small ? { configuration: 'hostname arista-1\nvlan 10\n   name p\n' } : {}),
    truth: (device) => device.running(),
  });
});
