import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { hookNames } from './hooks/hooks.ts';
import type { HostReading } from './host/host-watch.ts';
import { createMetrics } from './metrics.ts';

const now = new Date('2026-11-20T12:00:00Z');

async function metricsWith(hosts: HostReading[], prefix: string): Promise<string[]> {
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
    },
    isKnown: true,
    now,
  }));
  let text = '';
  for (host of hosts) text = await registry.metrics();
  return text.split('\n').filter((line) => line.startsWith(prefix));
}

it('sensors that the machine lacks, or lost, have no value', async () => {
  const before: HostReading = { celsius: 50, isThrottled: false, clockOffsetSeconds: 0.5 };

  const all = await metricsWith([before, { isThrottled: false }], 'skolo_swarming_host_');

  expect(all).toEqual(['skolo_swarming_host_throttled 0']);
});

it('ages of a bot and a task that do not run have no value', async () => {
  expect(await metricsWith([{}], 'skolo_swarming_bot_uptime_seconds')).toEqual([]);
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
  expect(all).toHaveLength(7);
});
