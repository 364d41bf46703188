/**
 * The agent's metrics: gauges of the state at each scrape, and counts of events.
 *
 * Prometheus accepts only label names and values listed in kube/base/prometheus/prometheus.yml, because a task may answer instead of the
 * agent. So a device is a number, its position in rack.yaml; `skolo_machines_device` of machine-state has its name.
 */
import { type GaugeSample, type GaugeSpec, registerGauges } from '@skolo/common/light';
import { Counter, Histogram, type Registry } from 'prom-client';
import { botExits, botStates } from './bot/bot-view.ts';
import { isOld } from './devices/device.ts';
import type { AgentEvent } from './events.ts';
import { verdicts } from './health/health.ts';
import { hookNames } from './hooks/hooks.ts';
import { taskOutcomes } from './hooks/task.ts';
import type { MachineView } from './machine.ts';
import type { AgentNow } from './status/status.ts';

/** What the gauges show. */
interface Measured extends Pick<AgentNow, 'bot' | 'task' | 'machine' | 'now'> {
  isKnown: boolean;
}

const gauges: Record<string, GaugeSpec<Measured>> = {
  skolo_swarming_machine_known: {
    help: "1 if this machine's entry in rack.yaml is known.",
    read: ({ isKnown }) => Number(isKnown),
  },
  skolo_swarming_bot_state: {
    help: "1 for the bot's current state.",
    labels: ['state'],
    read: ({ bot }) => botStates.map((state) => [{ state }, Number(bot.state === state)]),
  },
  skolo_swarming_bot_healthy: {
    help: '1 if the bot is running, has called its hooks since it started, and is still calling them; absent with `bot: none`.',
    read: ({ bot }) =>
      bot.state === 'none' ? undefined : Number(bot.state === 'running' && bot.isHealthy),
  },
  skolo_swarming_task_running: {
    help: '1 while a task is running.',
    read: ({ task }) => Number(task.running),
  },
  skolo_swarming_task_running_seconds: {
    help: 'How long the current task has been running; absent while no task is running.',
    read: ({ task, now }) => ageSeconds(task.since, now),
  },
  skolo_swarming_health: {
    help: "1 for the machine's current verdict: ok, recovering, maintenance or quarantined; only quarantined may require action by an operator.",
    labels: ['verdict'],
    read: ({ machine: { health } }) =>
      verdicts.map((verdict) => [{ verdict }, Number(health.verdict === verdict)]),
  },
  skolo_swarming_health_reason_seconds: {
    help: 'Age of each reason why the machine does not accept tasks; if several have the same code, the age of the oldest.',
    labels: ['code', 'device', 'verdict'],
    read: ({ machine: { health, devices }, now }) =>
      health.reasons
        // The last one counts.
        .toSorted((a, b) => b.since.getTime() - a.since.getTime())
        .map(({ code, device, verdict, since }) => [
          // Without the sensor, or the person who holds what.
          { code: code.replace(/:.*/s, ''), device: numberOf(devices, device), verdict },
          ageSeconds(since, now),
        ]),
  },
  skolo_swarming_device_battery_percent: {
    help: 'Battery level of an attached device; absent if it could not be read.',
    labels: ['device'],
    read: ({ machine }) =>
      present(machine, 'batteryAt').map(
        ({ device, reading }): GaugeSample => [{ device }, reading.batteryPercent],
      ),
  },
  skolo_swarming_device_temperature_celsius: {
    help: 'Highest temperature of each kind of sensor in an attached device: battery, skin, processor, other.',
    labels: ['device', 'sensor'],
    read: ({ machine }) =>
      present(machine, 'heatAt').flatMap(
        ({ device, reading: { temperatures, processorSensors = [] } }) =>
          Object.entries(temperatures)
            // The last one counts.
            .toSorted(([, a], [, b]) => a - b)
            .map(([name, celsius]): GaugeSample => {
              const [usual] = /battery|skin/i.exec(name) ?? [];
              const sensor = processorSensors.includes(name) ? 'processor' : usual?.toLowerCase();
              return [{ device, sensor: sensor ?? 'other' }, celsius];
            }),
      ),
  },
  skolo_swarming_host_under_voltage: {
    help: "1 while the machine's power supply is too weak.",
    read: ({ machine: { host } }) => bit(host.isUnderVoltage),
  },
};

/** Registers all metrics. @returns the function that counts an event */
export function createMetrics(
  registry: Registry,
  measured: () => Measured,
): (event: AgentEvent) => void {
  const registers = [registry];
  registerGauges(registry, gauges, measured);
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `skolo_swarming_${name}`, help, labelNames, registers });
  const starts = counter('bot_starts_total', 'Number of bot starts.');
  const exits = counter('bot_exits_total', 'Number of bot exits, by reason.', ['why']);
  const downloads = counter('bot_downloads_total', 'Number of bot downloads, by outcome.', [
    'outcome',
  ]);
  const repairs = counter('repairs_total', 'Number of repair steps, by step and outcome.', [
    'step',
    'outcome',
  ]);
  const tasks = counter('tasks_total', 'Number of tasks started.');
  const ends = counter('tasks_ended_total', 'Number of tasks that have ended, by outcome.', [
    'outcome',
  ]);
  const hookFailures = counter(
    'hook_failures_total',
    'Number of hook calls that returned an error, by hook.',
    ['hook'],
  );
  const hooks = new Histogram({
    name: 'skolo_swarming_hook_seconds',
    help: 'How long the agent took to respond to a hook.',
    labelNames: ['hook'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1],
    registers,
  });
  // From 0: a counter's first value does not count as an increase.
  for (const why of botExits) exits.inc({ why }, 0);
  for (const outcome of taskOutcomes) ends.inc({ outcome }, 0);
  for (const outcome of ['ok', 'failed']) downloads.inc({ outcome }, 0);
  for (const hook of hookNames) {
    hooks.zero({ hook });
    hookFailures.inc({ hook }, 0);
  }

  return function count(event) {
    if (event.type === 'bot-started') starts.inc();
    else if (event.type === 'bot-exited') exits.inc({ why: event.exit });
    else if (event.type === 'bot-downloaded') downloads.inc({ outcome: 'ok' });
    else if (event.type === 'bot-not-downloaded') downloads.inc({ outcome: 'failed' });
    else if (event.type === 'task-started') tasks.inc();
    else if (event.type === 'task-ended') ends.inc({ outcome: event.outcome });
    else if (event.type === 'repair-outcome') {
      const { step, outcome } = event.repair;
      repairs.inc({ step, outcome });
    } else if (event.type === 'hook') {
      const { hook, ok, seconds } = event;
      hooks.observe({ hook }, seconds);
      if (!ok) hookFailures.inc({ hook });
    }
  };
}

function numberOf(devices: MachineView['devices'], name: string | undefined): string {
  const number = devices.findIndex((device) => device.name === name);
  return number < 0 ? '' : String(number);
}

/** Devices whose figures are those of the last reading: Prometheus takes every value for one of now. */
function present({ devices }: MachineView, at: 'batteryAt' | 'heatAt') {
  return devices.flatMap((view, number) =>
    view.state === 'present' && view.reading && !isOld(view[at], view)
      ? [{ device: String(number), reading: view.reading }]
      : [],
  );
}

function ageSeconds(since: Date | undefined, now: Date): number | undefined {
  return since && Math.max(0, (now.getTime() - since.getTime()) / 1000);
}

function bit(is: boolean | undefined): number | undefined {
  return is === undefined ? undefined : Number(is);
}
