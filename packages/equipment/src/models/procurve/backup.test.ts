import { type ProcurveOptions, startProcurve } from '@skolo/simulators';
import { describe, expect, it, vi } from 'vitest';
import { isSame } from '../configuration/text.ts';
import { itIsUnsavedAfter, itMasks, itReplaysRestore } from '../testing/configurations.ts';
import { itSurvives } from '../testing/every-fault.ts';
import { type account, backUp, bytesOf, simulated } from '../testing/simulated-device.ts';
import { backup, procurve as dialect } from './procurve.ts';

const enablePassword = 'canary-enable-19c';

async function sit(options: Partial<ProcurveOptions> = {}, transport: 'ssh' | 'telnet' = 'ssh') {
  vi.stubEnv('SKOLO_TEST_ENABLE', enablePassword);
  const start = (login: typeof account) =>
    startProcurve({ ...login, secondMs: 1, telnetPort: 0, ...options });
  const login = { enablePassword: { env: 'SKOLO_TEST_ENABLE' } };
  const about = { model: 'procurve', login, transport };
  return { ...(await simulated(start, about)), model: backup() };
}

describe('the configuration of a ProCurve', () => {
  it.each([
    ['a manager, over ssh', {}, 'ssh'],
    ['a manager, over telnet', {}, 'telnet'],
    [
      'an operator who is asked for a name',
      { role: 'operator', manager: { username: 'manager', password: enablePassword } },
      'ssh',
    ],
    ['firmware that always pages', { alwaysPages: true }, 'ssh'],
    ['a console that scrolls in its own way', { scrolls: 'delete-and-insert' }, 'ssh'],
  ] as const)('is what it shows, byte for byte: %s', async (_what, options, transport) => {
    const { device, model, connect, transcript } = await sit(options, transport);

    const { content, identity, startup } = await backUp(model, connect());

    expect(bytesOf(content).toString().trimEnd()).toBe(device.running().toString().trimEnd());
    expect(identity).toEqual({ serial: 'CN69FP30AB', hostname: 'procurve-1' });
    expect(startup && (await isSame(bytesOf(content), startup, model))).toBe(true);
    expect(transcript.join('')).not.toMatch(/canary/);
  });

  itIsUnsavedAfter(sit, ['uplink', 'spare']);

  itMasks(sit, {
    secret: /s3cret|5ec2e7/gi,
    least: 15,
    kept: [
      'password manager user-name "admin" sha1 "<secret ',
      'aaa authentication ssh login public-key',
      'snmp-server contact "ann@example.com" location "rack 4"',
    ],
  });

  itReplaysRestore((configuration) => sit({ configuration }), dialect, {
    configuration:
      'hostname "procurve-1"\ninterface 1\n   name "uplink"\n   exit\nsnmp-server contact "ann@example.com"\n',
    begin: 'configure',
  });

  it.each([
    ['nothing', '', 'Configuration Editor'],
    ['an error', 'Not authorized to run this command.\n', 'Configuration Editor'],
    ['its head', '; J9773A Configuration Editor; Created on release #YA.16.11.0005\n', 'hostname'],
  ])('is not %s', async (_what, text, why) => {
    expect(await backup().incomplete({ bytes: Buffer.from(text) })).toContain(why);
  });

  itSurvives({
    sit: (small) => sit(small ? { configuration: 'hostname "procurve-1"\n' } : {}),
    truth: (device) => device.running(),
  });
});
