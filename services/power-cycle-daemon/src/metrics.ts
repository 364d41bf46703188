/** What Prometheus is told. Alert rules: kube/base/prometheus/rules/power.yaml. */
import { CycleStep, Outcome, PowerAction, Refusal } from '@skolo/api';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { stepOf } from './cycle.ts';
import type { CycleRecord } from './records.ts';
import { shownOutlets, type View } from './shown.ts';

export interface Metrics {
  /** After each change of a cycle. */
  changed(record: CycleRecord): void;
  refused(code: string): void;
  repaired(outcome: string): void;
}

export interface MetricsDeps {
  view: () => View;
  /** Not finished. */
  active: () => CycleRecord[];
  monotonicSeconds: () => number;
}

/** What may come of a decision of repair by itself. */
const repairOutcomes = [
  'asked',
  'answers',
  'joined',
  'refused',
  'failed',
  'needs-hands',
  'shared-down',
  'many-down',
  'experimental',
  'uplink',
  'boot',
  'no-outlet',
  'not-native',
];

export function createMetrics(registry: Registry, deps: MetricsDeps): Metrics {
  const registers = [registry];
  const cycles = new Counter({
    name: 'skolo_power_cycles_total',
    help: 'Finished cycles and switchings, by what was done, the outcome and the step at which it failed.',
    labelNames: ['action', 'outcome', 'failed_step'],
    registers,
  });
  const duration = new Histogram({
    name: 'skolo_power_cycle_duration_seconds',
    help: 'From the request to the outcome.',
    labelNames: ['action', 'outcome'],
    buckets: [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800],
    registers,
  });
  const steps = new Histogram({
    name: 'skolo_power_step_duration_seconds',
    help: 'How long cycles spend in a step.',
    labelNames: ['step'],
    buckets: [0.1, 0.3, 1, 3, 10, 30, 100, 300],
    registers,
  });
  const refusals = new Counter({
    name: 'skolo_power_refusals_total',
    help: 'Targets that were asked for and refused, by reason.',
    labelNames: ['code'],
    registers,
  });
  const repairs = new Counter({
    name: 'skolo_power_repairs_total',
    help: 'Decisions of repair by itself, by what came of them.',
    labelNames: ['outcome'],
    registers,
  });
  gauges(registry, deps);
  // A counter that begins with its first event hides that one from every rate.
  for (const action of PowerAction.options) {
    for (const outcome of Outcome.options) {
      const failedSteps = outcome === 'failed' ? CycleStep.options : [''];
      for (const failed_step of failedSteps) cycles.inc({ action, outcome, failed_step }, 0);
    }
  }
  for (const code of Refusal.shape.code.options) refusals.inc({ code }, 0);
  for (const outcome of repairOutcomes) repairs.inc({ outcome }, 0);
  const entered = new Map<string, { step: string; at: number; requestedAt: number }>();

  return {
    changed(record) {
      const now = deps.monotonicSeconds();
      const step = stepOf(record);
      const before = entered.get(record.id);
      if (before !== undefined && (before.step !== step || record.phase === 'finished')) {
        steps.observe({ step: before.step }, now - before.at);
      }
      if (record.phase !== 'finished') {
        const isNew = before === undefined || before.step !== step;
        const requestedAt = before?.requestedAt ?? now;
        if (isNew) entered.set(record.id, { step, at: now, requestedAt });
        return;
      }
      entered.delete(record.id);
      const { action, outcome = 'failed', failedStep = '' } = record;
      cycles.inc({ action, outcome, failed_step: failedStep });
      if (before !== undefined) duration.observe({ action, outcome }, now - before.requestedAt);
    },
    refused: (code) => refusals.inc({ code }),
    repaired: (outcome) => repairs.inc({ outcome }),
  };
}

/** Read when they are asked for. */
function gauges(registry: Registry, { view, active }: MetricsDeps): void {
  const registers = [registry];
  new Gauge({
    name: 'skolo_power_controller_up',
    help: 'Whether a switch or PDU answers; absent until it was asked.',
    labelNames: ['controller', 'model'],
    registers,
    collect() {
      this.reset();
      for (const { name, model, state } of view().controllers.all()) {
        if (state !== 'unknown') this.set({ controller: name, model }, state === 'up' ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: 'skolo_power_controller_failing',
    help: 'Whether an outlet of a switch or PDU is stuck off, so that nothing else on it is turned off.',
    labelNames: ['controller', 'model'],
    registers,
    collect() {
      this.reset();
      const failing = view().proofs.failing();
      for (const { name, model } of view().controllers.all()) {
        this.set({ controller: name, model }, failing.has(name) ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: 'skolo_power_sign_in_rejected',
    help: 'Whether a switch or PDU rejected the login of its entry at the last attempt.',
    labelNames: ['controller'],
    registers,
    collect() {
      this.reset();
      for (const { name, rejectedSignIns } of view().controllers.all()) {
        this.set({ controller: name }, rejectedSignIns === undefined ? 0 : 1);
      }
    },
  });
  new Gauge({
    name: 'skolo_power_queue_length',
    help: 'Operations that wait or run on a controller.',
    labelNames: ['controller'],
    registers,
    collect() {
      this.reset();
      for (const { name, queueLength } of view().controllers.all()) {
        this.set({ controller: name }, queueLength);
      }
    },
  });
  new Gauge({
    name: 'skolo_power_cycles_active',
    help: 'Cycles that are not finished, by step.',
    labelNames: ['step'],
    registers,
    collect() {
      this.reset();
      for (const record of active()) this.inc({ step: stepOf(record) });
    },
  });
  new Gauge({
    name: 'skolo_power_outlets_stuck_off',
    help: 'Outlets that were turned off for a cycle and could not be proven to be on again; tried for ever.',
    labelNames: ['outlet'],
    registers,
    collect() {
      this.reset();
      for (const [outlet, { stuck }] of view().store.debts.all) {
        if (stuck !== undefined) this.set({ outlet }, 1);
      }
    },
  });
  new Gauge({
    name: 'skolo_power_outlets_owed',
    help: 'Outlets that were turned off for a cycle and have not been seen on again yet.',
    registers,
    collect() {
      this.set(view().store.debts.all.size);
    },
  });
  new Gauge({
    name: 'skolo_power_oldest_debt_timestamp_seconds',
    help: 'When the outlet was turned off that has been owed for longest; absent while nothing is.',
    registers,
    collect() {
      const since = [...view().store.debts.all.values()].map((debt) => Date.parse(debt.since));
      if (since.length > 0) this.set(Math.min(...since) / 1000);
      else this.remove();
    },
  });
  new Gauge({
    name: 'skolo_power_outlets_switched_off',
    help: 'Outlets that a person turned off; nothing but a person turns them on.',
    labelNames: ['outlet'],
    registers,
    collect() {
      this.reset();
      for (const outlet of view().store.wishes.all.keys()) this.set({ outlet }, 1);
    },
  });
  new Gauge({
    name: 'skolo_power_machines_need_hands',
    help: 'Machines that repair by itself has given up.',
    labelNames: ['machine'],
    registers,
    collect() {
      this.reset();
      for (const { target, needsHands } of view().store.repairs.all.values()) {
        if (needsHands !== undefined) this.set({ machine: target }, 1);
      }
    },
  });
  outletGauges(registry, view);
}

function outletGauges(registry: Registry, view: () => View): void {
  const registers = [registry];
  new Gauge({
    name: 'skolo_power_outlet_on',
    help: 'Whether an outlet that feeds something, or that a person turned off, is on, as read last; absent while unknown.',
    labelNames: ['outlet'],
    registers,
    collect() {
      this.reset();
      const { store, readings } = view();
      const wished = [...store.wishes.all.keys()].flatMap((outlet) => {
        const state = readings.get(outlet)?.state;
        return state === undefined ? [] : [{ outlet, state }];
      });
      for (const { outlet, state } of [...shownOutlets(view()), ...wished]) {
        if (state !== 'unknown') this.set({ outlet }, state === 'on' ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: 'skolo_power_outlet_fault',
    help: 'Whether the device reported a fault of an outlet (short circuit, overload) at the last reading; absent while unknown.',
    labelNames: ['outlet'],
    registers,
    collect() {
      this.reset();
      for (const { outlet, state, fault } of shownOutlets(view())) {
        if (state !== 'unknown') this.set({ outlet }, fault === undefined ? 0 : 1);
      }
    },
  });
  new Gauge({
    name: 'skolo_power_outlet_watts',
    help: 'Power drawn at an outlet, as read last.',
    labelNames: ['outlet'],
    registers,
    collect() {
      this.reset();
      for (const { outlet, watts } of shownOutlets(view())) {
        if (watts !== undefined) this.set({ outlet }, watts);
      }
    },
  });
}
