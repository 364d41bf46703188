import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { peer } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { Lab } from './testing/lab.ts';

describe('an adb server that hangs when the agent starts', () => {
  it.for(['android', 'auto'])(
    'is restarted, and nothing else is tried: %s',
    async (kind, context) => {
      if (!peer('python3') || !peer('adb')) context.skip('python3 or adb is not installed');
      const lab = await Lab.open({
        phones: [{ serial: '0A1B2C3D', model: 'pixel-5' }],
        isAdbProcess: true,
        entry: `device: { kind: ${kind}, power: usb/1-1.2 }`,
      });
      context.onTestFinished(() => lab.close());
      await promisify(execFile)('adb', ['start-server'], {
        env: { ...process.env, ...lab.installation?.env },
      });
      process.kill(lab.installation?.pid() ?? 0, 'SIGSTOP');

      const agent = await lab.startAgent();

      await agent.until(({ devices }) => devices[0]?.state === 'present');
      const { repairs } = await agent.until((status) => status.repairs?.[0]?.outcome === 'helped');
      expect(repairs).toMatchObject([{ step: 'adb-restart' }]);
    },
  );
});

it('a step of repair that a person orders reboots the phone', async (context) => {
  if (!peer('python3') || !peer('adb')) context.skip('python3 or adb is not installed');
  const lab = await Lab.open({ phones: [{ serial: '0A1B2C3D', model: 'pixel-5' }] });
  context.onTestFinished(() => lab.close());
  const agent = await lab.startAgent();
  const { devices } = await agent.until((status) => status.devices[0]?.state === 'present');
  expect(devices[0]?.repairSteps).toContain('device-reboot');

  await agent.client().repair({ body: { step: 'device-reboot', why: 'it is slow' } });

  await expect.poll(() => lab.adb.phone().boots).toBe(2);
  const { repairs } = await agent.until((status) => status.repairs?.[0]?.outcome === 'helped');
  expect(repairs).toMatchObject([{ step: 'device-reboot' }]);
});
