import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import type { SimulatedDevice } from '../device.ts';
import type { SnmpModel } from './agent.ts';
import { apcRpdu2Model } from './apc-rpdu2.ts';
import { poeSwitchModel } from './poe-switch.ts';
import { startSnmpd } from './snmpd.ts';
import { runTool, signIn, users } from './testing.ts';

const admin = '.1.3.6.1.2.1.105.1.1.1.3.1';

async function start(context: TestContext, model: SnmpModel): Promise<SimulatedDevice> {
  const device = await startSnmpd(model, { users });
  if (!device) return context.skip('snmpd is not installed');
  onTestFinished(() => device.close());
  return device;
}

describe("Debian's snmpd", () => {
  it.for([
    [`${admin}.5`, '2', 'readOnly', 'noAccess'],
    [`${admin}.99`, '2', 'v2c', 'notWritable'],
    [`${admin}.5`, '9', 'v2c', 'wrongValue'],
    ['.1.3.6.1.2.1.105.1.1.1.6.1.5', '2', 'v2c', 'notWritable'],
  ] as const)('refuses to set %s to %s for %s: %s', async ([oid, value, who, why], context) => {
    const device = await start(context, poeSwitchModel());

    const set = await runTool(context, device, ['snmpset', oid, 'i', value], signIn[who]);

    expect(set.status).toBe(2);
    expect(set.stderr).toContain(`Reason: ${why}`);
  });

  it('walks through all tables as our own agent does', async (context) => {
    const device = await start(context, apcRpdu2Model({ outlets: 3, metered: true }));

    const walk = await runTool(context, device, ['snmpwalk', '.1.3.6.1.4.1.318']);

    expect(walk.stdout.match(/ = /g)).toHaveLength(99);
    expect(walk.stdout).toContain('.318.1.1.26.9.4.3.1.7.3 = INTEGER: 40');
  });

  it('comes back after a reboot', async (context) => {
    const device = await start(context, poeSwitchModel());
    await runTool(context, device, ['snmpset', `${admin}.5`, 'i', '2'], signIn.sha);

    await device.reboot();

    const get = await runTool(context, device, ['snmpget', `${admin}.5`], signIn.sha);
    expect(get.stdout).toBe(`${admin}.5 = INTEGER: 1\n`);
  });
});
