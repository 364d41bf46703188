import { type ProcurveOptions, startProcurve } from '@skolo/simulators';
import { describe, expect, it, vi } from 'vitest';
import { isSame } from '../configuration/text.ts';
import { type account, backUp, bytesOf, simulated } from '../testing/simulated-device.ts';
import { backup } from './procurve.ts';

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
});
