import { DeviceRejected } from '@skolo/equipment/transports';
import { type JunosOptions, sessionOf, startJunos } from '@skolo/simulators';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { itMasks, stepsOf } from '../testing/configurations.ts';
import { itSurvives } from '../testing/every-fault.ts';
import { type account, backUp, bytesOf, simulated } from '../testing/simulated-device.ts';
import { backup } from './junos.ts';

async function sit(options: Partial<JunosOptions> = {}) {
  const start = (login: typeof account) => startJunos({ ...login, secondMs: 1, ...options });
  return { ...(await simulated(start, { model: 'junos' })), model: backup() };
}

describe('the configuration of a Juniper switch', () => {
  it('is what it shows, byte for byte, with its serial number, its name and who changed it', async () => {
    const { device, model, connect } = await sit();

    const { content, identity, startup, changedBy } = await backUp(model, connect());

    expect(bytesOf(content)).toEqual(device.running());
    expect(identity).toEqual({ serial: 'JW3619430123', hostname: 'ex-1' });
    expect(startup).toBeUndefined();
    expect(changedBy).toBe('2026-11-19 09:12:33 UTC by admin');
  });

  it('is rejected where the login may not see it', async () => {
    const { device, model, connect } = await sit();
    device.faults.set('error-text');

    await expect(backUp(model, connect())).rejects.toThrow(DeviceRejected);
  });

  itMasks(sit, {
    secret: /s3cret/gi,
    least: 21,
    kept: ['ssh-ed25519 AAAAC3', 'authentication-type md5;', 'authorization read-only;'],
  });

  it('gets back by the steps, which were typed in a session', async () => {
    const text = 'version 21.4R3-S5.4;\nsystem {\n    host-name ex-1;\n}\n';
    const sitting = await sit({ configuration: text });
    const session = sessionOf('junos').map(({ typed, said }) => ({ typed, said }));

    const [load, ...others] = stepsOf(sitting, sitting.device.running());
    const [configure, override, ...lines] = load?.lines ?? [];

    const restore = session.slice(session.findIndex(({ typed }) => typed === 'configure'));
    const commands = [configure, override, ...others.flatMap((step) => step.lines)];
    expect(restore.map(({ typed }) => typed)).toEqual(commands);
    expect(restore[1]?.said).toContain(`end input]\n${lines.join('\n')}\nload complete`);
  });

  it.each([
    ['nothing', '', 'does not start'],
    ['an error', 'error: could not open configuration database\n', 'does not start'],
    [
      'one that is cut in a section',
      '## Last commit: x\nversion 1;\nsystem {\n    a;\n',
      'unclosed brace',
    ],
    [
      'one that is cut in a statement',
      '## Last commit: x\nversion 1;\nsystem {\n}\nvla',
      'is incomplete',
    ],
    ['one without its beginning', '## Last commit: x\nversion 1;\n}\n', 'do not match'],
    ['only its head', '## Last commit: x\n', 'version'],
  ])('is not %s', async (_what, text, why) => {
    expect(await backup().incomplete({ bytes: Buffer.from(text) })).toContain(why);
  });

  it('may have braces in texts and comments', async () => {
    const text =
      '## Last commit: x\nversion 1;\n/* { not\n one } } */\nsystem {\n    message "{ \\" { /* SECRET-DATA */;";\n    # }\n}\n';

    expect(await backup().incomplete({ bytes: Buffer.from(text) })).toBeUndefined();
  });

  it('is never taken for whole where it was cut within a section', async () => {
    const { device, model } = await sit();
    const text = device.running().toString();
    const open = [...text.matchAll(/^[ ]{4,}.*$/gm)].map(({ index }) => index);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...open), async (end) => {
        expect(await model.incomplete({ bytes: Buffer.from(text.slice(0, end)) })).toBeDefined();
      }),
    );
  });

  itSurvives(
    {
      sit: (small) =>
        sit(small ? { configuration: 'version 1;\nsystem {\n    host-name ex-1;\n}\n' } : {}),
      truth: (device) => device.running(),
    },
    // No terminal, so no prompt, pager, log or second password.
    { 'prompt-in-configuration': 'whole', 'password-twice': 'whole' },
  );
});
