import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { SimulatedDevice } from '../device.ts';
import { type PoeSwitchOptions, startPoeSwitch } from './poe-switch.ts';
import { runTool, signIn, users } from './testing.ts';

const ports = '.1.3.6.1.2.1.105.1.1.1';
const admin = (index: string) => `${ports}.3.${index}`;
const detection = (index: string) => `${ports}.6.${index}`;

async function start(options: PoeSwitchOptions = {}): Promise<SimulatedDevice> {
  const device = await startPoeSwitch({ users, ...options });
  onTestFinished(() => device.close());
  return device;
}

function numbers(stdout: string): number[] {
  return [...stdout.matchAll(/(?:INTEGER|Gauge32): (\d+)/g)].map(([, number]) => Number(number));
}

describe("a PoE switch, asked by net-snmp's tools", () => {
  it.for(['v1', 'v2c', 'sha', 'sha256'] as const)(
    'turns a port off for %s',
    async (who, context) => {
      const device = await start();

      await runTool(context, device, ['snmpset', admin('1.5'), 'i', '2'], signIn[who]);
      const read = await runTool(context, device, ['snmpget', admin('1.5'), detection('1.5')]);

      expect(numbers(read.stdout)).toEqual([2, 1]);
      expect(device.board.names().filter((port) => !device.board.isOn(port))).toEqual(['5']);
    },
  );

  it('searches for a while before it delivers', async (context) => {
    const device = await start({ detectMs: 4000 });
    device.board.set('5', false);
    const read = () => runTool(context, device, ['snmpget', admin('1.5'), detection('1.5')]);

    await runTool(context, device, ['snmpset', admin('1.5'), 'i', '1']);
    const searching = await read();

    expect(numbers(searching.stdout)).toEqual([1, 2]);
    await vi.waitFor(async () => expect(numbers((await read()).stdout)).toEqual([1, 3]), 20_000);
  });

  it('searches for ever where nothing is plugged in', async (context) => {
    const device = await start({ detectMs: 0 });
    device.board.setWatts('5', 0);

    const read = await runTool(context, device, ['snmpget', admin('1.5'), detection('1.5')]);

    expect(numbers(read.stdout)).toEqual([1, 2]);
  });

  it('counts ports in groups, and power by group', async (context) => {
    const device = await start({ ports: 2, groups: 2, watts: 5 });

    await runTool(context, device, ['snmpset', admin('2.1'), 'i', '2']);
    const drawn = await runTool(context, device, ['snmpwalk', '.1.3.6.1.2.1.105.1.3.1.1.4']);

    expect(device.board.isOn('2.1')).toBe(false);
    expect(device.board.isOn('1')).toBe(true);
    expect(numbers(drawn.stdout)).toEqual([10, 5]);
  });

  it('can be too busy with a setting to answer in time, and switches all the same', async (context) => {
    const device = await start({ setMs: 1500 });

    const set = await runTool(
      context,
      device,
      ['snmpset', admin('1.5'), 'i', '2'],
      signIn.impatient,
    );
    const read = await runTool(context, device, ['snmpget', admin('1.5')]);

    expect(set.stderr).toContain('Timeout');
    expect(numbers(read.stdout)).toEqual([2]);
  });

  it('forgets with its power what was not saved', async () => {
    const device = await start({ ports: 2 });
    device.board.set('2', false);

    await device.reboot();

    expect(device.board.isOn('2')).toBe(true);
  });
});
