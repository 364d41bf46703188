import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { botExits } from './bot/bot-view.ts';
import type { ReasonCode } from './health/health.ts';
import { minutes, phone } from './health/testing/facts.ts';
import { hookNames } from './hooks/hooks.ts';
import type { HostReading } from './host/sensors.ts';
import type { MachineView } from './machine.ts';
import { createMetrics } from './metrics.ts';

const now = new Date('2026-11-20T12:00:00Z');

async function metricsWith(
  hosts: HostReading[],
  prefix: string,
  machine: Partial<MachineView> = {},
): Promise<string[]> {
  const registry = new Registry();
  let host: HostReading = {};
  createMetrics(registry, () => ({
    bot: { state: 'running', since: now, isHealthy: true, starts: 1 },
    task: { running: false },
    machine: {
      devices: [],
      host,
      dimensions: {},
      health: { verdict: 'ok', since: now, reasons: [] },
      orders: [],
      repairs: [],
      repairSteps: new Map(),
      ...machine,
    },
    isKnown: true,
    now,
  }));
  let text = '';
  for (host of hosts) text = await registry.metrics();
  return text.split('\n').filter((line) => line.startsWith(prefix));
}

it('sensors that the machine lacks, or lost, have no value', async () => {
  const before: HostReading = { isUnderVoltage: false };

  expect(await metricsWith([before], 'skolo_swarming_host_')).toEqual([
    'skolo_swarming_host_under_voltage 0',
  ]);
  expect(await metricsWith([before, {}], 'skolo_swarming_host_')).toEqual([]);
});

it('the age of a task that does not run has no value', async () => {
  expect(await metricsWith([{}], 'skolo_swarming_task_running_seconds')).toEqual([]);
});

it('each hook is counted from 0, so that the first slow one is an increase', async () => {
  const all = await metricsWith([{}], 'skolo_swarming_hook_seconds_count');

  expect(all).toContain('skolo_swarming_hook_seconds_count{hook="on_bot_startup"} 0');
  expect(all).toHaveLength(hookNames.length);
});

it('each way in which a bot ends is counted from 0, so that the first one is an increase', async () => {
  const all = await metricsWith([{}], 'skolo_swarming_bot_exits_total');

  expect(all).toContain('skolo_swarming_bot_exits_total{why="silent"} 0');
  expect(all).toHaveLength(botExits.length);
});

it('shows a device by its number, and a reason without its sensor or who holds what: the values are a closed list', async () => {
  const since = (code: ReasonCode, at: Date, device?: string) =>
    ({ verdict: 'recovering', code, text: '', since: at, device }) as const;
  const machine = {
    devices: [phone({}, { name: 'left' }), phone({ batteryPercent: 50 }, { name: 'right' })],
    health: {
      verdict: 'recovering' as const,
      since: now,
      reasons: [
        since('hot:battery', minutes(-2), 'right'),
        since('hot:skin', minutes(-5), 'right'),
        since('hot:cpu', minutes(-1), 'right'),
        since('held:rpi-1:ann', minutes(-3)),
      ],
    },
  };

  expect(await metricsWith([{}], 'skolo_swarming_health_reason_seconds', machine)).toEqual([
    'skolo_swarming_health_reason_seconds{code="hot",device="1",verdict="recovering"} 300',
    'skolo_swarming_health_reason_seconds{code="held",device="",verdict="recovering"} 180',
  ]);
  expect(await metricsWith([{}], 'skolo_swarming_device_battery_percent', machine)).toEqual([
    'skolo_swarming_device_battery_percent{device="1"} 50',
  ]);
});

it('shows the warmest sensor of each kind', async () => {
  const temperatures = {
    battery: 28,
    'skin-therm': 31,
    skin2: 33,
    'cpu-0': 60,
    'cpu-1': 50,
    usb: 29,
  };
  const processorSensors = ['cpu-0', 'cpu-1'];
  const machine = { devices: [phone({ temperatures, processorSensors })] };

  const name = 'skolo_swarming_device_temperature_celsius';
  expect((await metricsWith([{}], name, machine)).toSorted()).toEqual([
    `${name}{device="0",sensor="battery"} 28`,
    `${name}{device="0",sensor="other"} 29`,
    `${name}{device="0",sensor="processor"} 60`,
    `${name}{device="0",sensor="skin"} 33`,
  ]);
});
