import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { SimulatedDevice } from '../device.ts';
import { type ApcRpduOptions, startApcRpdu } from './apc-rpdu.ts';
import { type ApcRpdu2Options, startApcRpdu2 } from './apc-rpdu2.ts';
import { runFence, runTool, users } from './testing.ts';

const apc = '.1.3.6.1.4.1.318.1.1';

async function rpdu(options: ApcRpduOptions = {}): Promise<SimulatedDevice> {
  const device = await startApcRpdu({ users, ...options });
  onTestFinished(() => device.close());
  return device;
}

async function rpdu2(options: ApcRpdu2Options = {}): Promise<SimulatedDevice> {
  const device = await startApcRpdu2({ users, ...options });
  onTestFinished(() => device.close());
  return device;
}

describe('PDUs, switched by fence_apc_snmp', () => {
  const kinds = [
    ['apc-rpdu', rpdu],
    ['apc-rpdu2', rpdu2],
  ] as const;
  const login = [
    ['a community', ['-c', 'private']],
    [
      'a user',
      [
        ['-d', '3', '--snmp-sec-level', 'authPriv', '-l', 'sha', '-p', 'authauth1'],
        ['-P', 'privpriv1', '--snmp-auth-prot', 'SHA', '--snmp-priv-prot', 'AES'],
      ].flat(),
    ],
  ] as const;
  const table = kinds.flatMap(([model, start]) =>
    login.map(([who, args]) => [model, who, start, args] as const),
  );

  it.for(table)('%s obeys %s', async ([, , start, args], context) => {
    const device = await start();
    const fence = (...verb: string[]) => runFence(context, device, ...args, ...verb);

    const off = await fence('-n', '3', '-o', 'off');
    const seenOff = await fence('-n', '3', '-o', 'status');
    const on = await fence('-n', 'Outlet 3', '-o', 'on');
    const seenOn = await fence('-n', '3', '-o', 'status');

    expect(off.stdout).toContain('Success: Powered OFF');
    expect(seenOff).toMatchObject({ status: 2, stdout: 'Status: OFF\n' });
    expect(on.stdout).toContain('Success: Powered ON');
    expect(seenOn).toMatchObject({ status: 0, stdout: 'Status: ON\n' });
  });

  it('is listed and rebooted', async (context) => {
    const device = await rpdu({ outlets: 2 });
    const changes: unknown[] = [];
    device.board.on('change', (change) => changes.push(change));

    const list = await runFence(context, device, '-c', 'private', '-o', 'list');
    const reboot = await runFence(context, device, '-c', 'private', '-n', '2', '-o', 'reboot');

    expect(list.stdout).toBe('1,Outlet 1\n2,Outlet 2\n');
    expect(reboot.stdout).toContain('Success: Rebooted');
    expect(changes).toEqual([
      { outlet: '2', on: false },
      { outlet: '2', on: true },
    ]);
  });
});

describe('commands of a PDU', () => {
  const commands = { rpdu: '12.3.3.1.1.4', rpdu2: '26.9.2.4.1.5' };

  it.for([
    ['apc-rpdu leaves off', rpdu, commands.rpdu, false],
    ['apc-rpdu2 turns on', rpdu2, commands.rpdu2, true],
  ] as const)('a reboot of %s what was off', async ([, start, column, comesOn], context) => {
    const device = await start({ rebootSeconds: 0.2 });
    const { board } = device;
    board.set('2', false);
    const reboot = (n: number) =>
      runTool(context, device, ['snmpset', `${apc}.${column}.${n}`, 'i', '3']);

    await reboot(2);
    await reboot(1);

    expect(board.isOn('1')).toBe(false);
    await vi.waitFor(() => expect(board.isOn('1')).toBe(true));
    expect(board.isOn('2')).toBe(comesOn);
  });

  it.for([
    ['apc-rpdu', rpdu, '12.3.1.1.0'],
    ['apc-rpdu2', rpdu2, '26.4.4.1.4.1'],
  ] as const)(
    '%s: 3 to the wrong object turns all outlets off',
    async ([, start, all], context) => {
      const device = await start({ outlets: 3 });

      await runTool(context, device, ['snmpset', `${apc}.${all}`, 'i', '3']);

      expect(device.board.names().map((name) => device.board.isOn(name))).toEqual([
        false,
        false,
        false,
      ]);
    },
  );
});

describe('a PDU after a power failure', () => {
  it.for([
    ['apc-rpdu', rpdu, '12.3.1.2.0', '12.3.4.1.1.4.2'],
    ['apc-rpdu2', rpdu2, '26.4.1.1.6.1', '26.9.2.1.1.5.2'],
  ] as const)('%s leaves off what is configured so', async ([, start, all, one], context) => {
    const [never, partly] = [
      await start({ outlets: 2, coldstartDelay: -1 }),
      await start({ outlets: 2, powerOnTimes: { 2: -1 } }),
    ];

    const set = await runTool(context, never, ['snmpget', `${apc}.${all}`]);
    const outlet = await runTool(context, partly, ['snmpget', `${apc}.${one}`]);
    await never.reboot();
    await partly.reboot();

    expect([set.stdout, outlet.stdout]).toEqual([
      expect.stringMatching(/INTEGER: -1\n$/),
      expect.stringMatching(/INTEGER: -1\n$/),
    ]);
    expect(['1', '2'].map((name) => never.board.isOn(name))).toEqual([false, false]);
    expect(['1', '2'].map((name) => partly.board.isOn(name))).toEqual([true, false]);
  });
});
