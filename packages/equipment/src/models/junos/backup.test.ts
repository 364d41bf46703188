import { runs } from '@skolo/base/testing';
import { DeviceRejected } from '@skolo/equipment/transports';
import { type JunosOptions, sessionOf, startJunos } from '@skolo/simulators';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stepsOf } from '../testing/configurations.ts';
import { type account, backUp, simulated } from '../testing/simulated-device.ts';
import { backup } from './junos.ts';

async function sit(options: Partial<JunosOptions> = {}) {
  const start = (login: typeof account) => startJunos({ ...login, secondMs: 1, ...options });
  return { ...(await simulated(start, { model: 'junos' })), model: backup() };
}

describe('the configuration of a Juniper switch', () => {
  it('is rejected where the login may not see it', async () => {
    const { device, model, connect } = await sit();
    device.faults.set('error-text');

    await expect(backUp(model, connect())).rejects.toThrow(DeviceRejected);
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
      runs(500),
    );
  });
});
