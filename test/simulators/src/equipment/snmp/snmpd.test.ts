import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import type { SimulatedDevice } from '../device.ts';
import type { SnmpModel } from './agent.ts';
import { apcRpduModel } from './apc-rpdu.ts';
import { apcRpdu2Model } from './apc-rpdu2.ts';
import { poeSwitchModel } from './poe-switch.ts';
import { startSnmpd } from './snmpd.ts';
import { runFence, runTool, signIn, users } from './testing.ts';

const admin = '.1.3.6.1.2.1.105.1.1.1.3.1';

async function start(context: TestContext, model: SnmpModel): Promise<SimulatedDevice> {
  const device = await startSnmpd(model, { users });
  if (!device) return context.skip('snmpd is not installed');
  onTestFinished(() => device.close());
  return device;
}

describe("Debian's snmpd", () => {
  it.for(['v1', 'v2c', 'sha', 'sha256', 'signsOnly'] as const)(
    'carries out what is said by %s',
    async (who, context) => {
      const device = await start(context, poeSwitchModel());

      const set = await runTool(context, device, ['snmpset', `${admin}.5`, 'i', '2'], signIn[who]);
      const get = await runTool(context, device, ['snmpget', `${admin}.5`], signIn[who]);

      expect(set.status).toBe(0);
      expect(get.stdout).toBe(`${admin}.5 = INTEGER: 2\n`);
      expect(device.board.isOn('5')).toBe(false);
      expect(device.received.map(({ text }) => text)).toEqual([`set ${admin.slice(1)}.5=2`]);
    },
  );

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

  it('is rebooted by fence_apc_snmp', async (context) => {
    const device = await start(context, apcRpduModel());

    const reboot = await runFence(context, device, '-c', 'private', '-n', '3', '-o', 'reboot');

    expect(reboot.stdout).toContain('Success: Rebooted');
    expect(device.received.map(({ text }) => text.slice(-2))).toEqual(['=2', '=1']);
  });

  it('has the faults of its values', async (context) => {
    const device = await start(context, poeSwitchModel());

    device.faults.set('ignores-commands');
    const ignored = await runTool(context, device, ['snmpset', `${admin}.5`, 'i', '2']);
    device.faults.set('missing-instance');
    const missing = await runTool(context, device, ['snmpget', `${admin}.5`]);

    expect(ignored.status).toBe(0);
    expect(device.board.isOn('5')).toBe(true);
    expect(missing.stdout).toContain('No Such Instance');
  });

  it('comes back after a reboot', async (context) => {
    const device = await start(context, poeSwitchModel());
    await runTool(context, device, ['snmpset', `${admin}.5`, 'i', '2'], signIn.sha);

    await device.reboot();

    const get = await runTool(context, device, ['snmpget', `${admin}.5`], signIn.sha);
    expect(get.stdout).toBe(`${admin}.5 = INTEGER: 1\n`);
  });
});
