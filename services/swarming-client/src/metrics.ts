/** The agent's metrics: what is known when Prometheus asks, and counts of what happened. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { BotCounts } from './bot/bot.ts';
import { type BotView, botExits, botStates } from './bot/bot-view.ts';
import type { DeviceView } from './devices/device.ts';
import { verdicts } from './health/health.ts';
import { hookNames } from './hooks/hooks.ts';
import type { HostReading } from './host/host-watch.ts';
import type { MachineView } from './machine.ts';
import type { TaskView } from './task.ts';

/** What the gauges show. */
export interface Measured {
  bot: BotView;
  /** Since the agent was started. */
  counts: BotCounts;
  task: TaskView;
  machine: MachineView;
  isKnown: boolean;
  now: Date;
}

export interface Metrics {
  hook(name: string, ok: boolean, seconds: number): void;
  looked(kind: string, state: string, seconds: number): void;
  taskBegun(): void;
}

export function createMetrics(registry: Registry, measured: () => Measured): Metrics {
  const registers = [registry];

  function gauge<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    collect: (
      set: (labels: Partial<Record<L, string>>, value: number) => void,
      now: Measured,
    ) => void,
  ) {
    new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers,
      collect() {
        this.reset();
        // A gauge without labels is 0 after a reset, which reads as a measurement.
        this.remove({});
        collect((labels, value) => this.set(labels, value), measured());
      },
    });
  }

  /** Counted elsewhere, and read from there. */
  function counter<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    collect: (
      inc: (labels: Partial<Record<L, string>>, times: number) => void,
      now: Measured,
    ) => void,
  ) {
    new Counter({
      name,
      help,
      labelNames: [...labelNames],
      registers,
      collect() {
        this.reset();
        collect((labels, times) => this.inc(labels, times), measured());
      },
    });
  }

  gauge(
    'skolo_swarming_machine_known',
    '1 if it is known what rack.yaml says of this machine.',
    [],
    (set, { isKnown }) => set({}, isKnown ? 1 : 0),
  );
  gauge(
    'skolo_swarming_bot_state',
    '1 for the state that the bot is in.',
    ['state'],
    (set, { bot }) => {
      for (const state of botStates) set({ state }, bot.state === state ? 1 : 0);
    },
  );
  gauge(
    'skolo_swarming_bot_healthy',
    '1 if the bot runs, has called its hooks since it was started, and is not silent.',
    [],
    (set, { bot }) => set({}, bot.state === 'running' && bot.isHealthy ? 1 : 0),
  );
  gauge(
    'skolo_swarming_bot_uptime_seconds',
    'Since the bot was started; absent while it does not run.',
    [],
    (set, { bot, now }) => {
      const { pid, startedAt } = bot;
      if (pid !== undefined && startedAt !== undefined) set({}, secondsBetween(startedAt, now));
    },
  );
  gauge('skolo_swarming_task_running', '1 while a task runs.', [], (set, { task }) =>
    set({}, task.running ? 1 : 0),
  );
  gauge(
    'skolo_swarming_task_running_seconds',
    'How long the task has been running; absent while none does.',
    [],
    (set, { task: { running, since }, now }) => {
      if (running && since !== undefined) set({}, secondsBetween(since, now));
    },
  );
  gauge(
    'skolo_swarming_health',
    '1 for what the machine is: ok, recovering, maintenance (nobody is needed) or quarantined.',
    ['verdict'],
    (set, { machine: { health } }) => {
      for (const verdict of verdicts) set({ verdict }, health.verdict === verdict ? 1 : 0);
    },
  );
  gauge(
    'skolo_swarming_health_reason_seconds',
    'Since when each reason for taking no tasks is there.',
    ['code', 'device', 'verdict'],
    (set, { machine: { health }, now }) => {
      for (const { code, device = '', verdict, since } of health.reasons) {
        set({ code, device, verdict }, secondsBetween(since, now));
      }
    },
  );
  gauge(
    'skolo_swarming_device_state',
    '1 for the state that an attached device is in.',
    ['device', 'state'],
    (set, { machine: { devices } }) => {
      for (const { name, state } of devices) {
        for (const each of ['unknown', 'present', 'missing']) {
          set({ device: name, state: each }, state === each ? 1 : 0);
        }
      }
    },
  );
  gauge(
    'skolo_swarming_device_read_age_seconds',
    'Since a device was last looked at.',
    ['device'],
    (set, { machine: { devices }, now }) => {
      for (const { name, readAt } of devices) {
        if (readAt !== undefined) set({ device: name }, secondsBetween(readAt, now));
      }
    },
  );
  gauge(
    'skolo_swarming_device_battery_percent',
    'Charge of the battery of a device that is present.',
    ['device'],
    (set, { machine: { devices } }) => {
      for (const { name, reading } of present(devices)) {
        if (reading.batteryPercent !== undefined) set({ device: name }, reading.batteryPercent);
      }
    },
  );
  gauge(
    'skolo_swarming_device_temperature_celsius',
    'What the sensors of a device that is present say.',
    ['device', 'sensor'],
    (set, { machine: { devices } }) => {
      for (const { name, reading } of present(devices)) {
        for (const [sensor, celsius] of Object.entries(reading.temperatures)) {
          set({ device: name, sensor }, celsius);
        }
      }
    },
  );
  gauge(
    'skolo_swarming_device_uptime_seconds',
    'Since a device that is present has booted.',
    ['device'],
    (set, { machine: { devices } }) => {
      for (const { name, reading } of present(devices)) {
        if (reading.uptimeSeconds !== undefined) set({ device: name }, reading.uptimeSeconds);
      }
    },
  );
  const ofHost: [string, string, (host: HostReading) => number | undefined][] = [
    ['disk_free_bytes', 'Free space of the disk of the bot.', ({ disk }) => disk?.freeBytes],
    ['disk_size_bytes', 'Size of the disk of the bot.', ({ disk }) => disk?.sizeBytes],
    ['temperature_celsius', 'Of the processor of the machine.', ({ celsius }) => celsius],
    ['under_voltage', '1 while its supply is too weak.', (host) => bit(host.isUnderVoltage)],
    ['throttled', '1 while its processor is slowed down.', (host) => bit(host.isThrottled)],
    [
      'clock_offset_seconds',
      'Its clock minus that of the jumphost.',
      ({ clockOffsetSeconds }) => clockOffsetSeconds,
    ],
  ];
  for (const [name, help, read] of ofHost) {
    gauge(`skolo_swarming_host_${name}`, help, [], (set, { machine: { host } }) => {
      const value = read(host);
      if (value !== undefined) set({}, value);
    });
  }

  counter(
    'skolo_swarming_bot_starts_total',
    'Times that the bot was started.',
    [],
    (inc, { counts }) => inc({}, counts.starts),
  );
  counter(
    'skolo_swarming_bot_exits_total',
    'Times that the bot ended, and why.',
    ['why'],
    (inc, { counts }) => {
      // From 0: what a counter has when it first appears is no increase.
      for (const why of botExits) inc({ why }, counts.exits.get(why) ?? 0);
    },
  );
  counter(
    'skolo_swarming_bot_downloads_total',
    'Downloads of the bot.',
    ['outcome'],
    (inc, { counts: { downloads } }) => {
      for (const [outcome, times] of Object.entries(downloads)) inc({ outcome }, times);
    },
  );
  counter(
    'skolo_swarming_repairs_total',
    'Steps that were tried with devices, and what came of them.',
    ['step', 'outcome'],
    (inc, { machine: { repairCounts } }) => {
      for (const [key, times] of repairCounts) {
        const [step = '', outcome = ''] = key.split(' ');
        inc({ step, outcome }, times);
      }
    },
  );
  const hooks = new Histogram({
    name: 'skolo_swarming_hook_seconds',
    help: 'How long the bot waited for an answer to a hook.',
    labelNames: ['hook'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1],
    registers,
  });
  const hookFailures = new Counter({
    name: 'skolo_swarming_hook_failures_total',
    help: 'Hooks that were answered with an error.',
    labelNames: ['hook'],
    registers,
  });
  for (const hook of hookNames) {
    hooks.zero({ hook });
    hookFailures.inc({ hook }, 0);
  }
  const tasks = new Counter({
    name: 'skolo_swarming_tasks_total',
    help: 'Tasks that were begun.',
    registers,
  });
  const looks = new Histogram({
    name: 'skolo_swarming_look_seconds',
    help: 'How long it took to read a device, by its kind and what was found.',
    labelNames: ['kind', 'state'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });

  return {
    hook(hook, ok, seconds) {
      hooks.observe({ hook }, seconds);
      if (!ok) hookFailures.inc({ hook });
    },
    looked: (kind, state, seconds) => looks.observe({ kind, state }, seconds),
    taskBegun: () => tasks.inc(),
  };
}

function present(devices: readonly DeviceView[]) {
  return devices.flatMap(({ name, state, reading }) =>
    state === 'present' && reading !== undefined ? [{ name, reading }] : [],
  );
}

function secondsBetween(since: Date, now: Date): number {
  return Math.max(0, (now.getTime() - since.getTime()) / 1000);
}

function bit(is: boolean | undefined): number | undefined {
  return is === undefined ? undefined : Number(is);
}
