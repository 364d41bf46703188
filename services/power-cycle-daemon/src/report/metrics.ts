/** Metrics for Prometheus. Alert rules: kube/base/prometheus/rules/power.yaml. */
import { CycleStep, Outcome, PowerAction, Rejection } from '@skolo/api';
import type { GaugeSpec } from '@skolo/common';
import { Counter, type Registry } from 'prom-client';
import { type EmitPower, repairOutcomes } from '../events.ts';
import { holdsOf } from '../rules/holds.ts';
import { allTargets } from '../rules/targets.ts';
import { conditionOf, outletStatuses, type View } from './status.ts';

/** More is an error of the controller. */
const mostWatts = 100_000;

/** Counts events. */
export function createMetrics(registry: Registry): EmitPower {
  const registers = [registry];
  function counter(name: string, help: string, labelNames: string[]) {
    return new Counter({ name, help, labelNames, registers });
  }
  const cycles = counter(
    'skolo_power_cycles_total',
    'Finished power cycles and switching operations, by action, outcome and failed step.',
    ['action', 'outcome', 'failed_step'],
  );
  const rejections = counter(
    'skolo_power_rejections_total',
    'Requested targets that were rejected, by reason.',
    ['code'],
  );
  const repairs = counter(
    'skolo_power_repairs_total',
    'Decisions of automatic repair, by outcome.',
    ['outcome'],
  );
  // If a counter begins with its first event, no rate shows that event.
  for (const action of PowerAction.options) {
    for (const outcome of Outcome.options) {
      const failedSteps = outcome === 'failed' ? CycleStep.options : [''];
      for (const failed_step of failedSteps) cycles.inc({ action, outcome, failed_step }, 0);
    }
  }
  for (const code of Rejection.shape.code.options) rejections.inc({ code }, 0);
  for (const outcome of repairOutcomes) repairs.inc({ outcome }, 0);
  return (event) => {
    if (event.type === 'cycle') {
      const { phase, action, outcome = 'failed', failedStep: failed_step = '' } = event.record;
      if (phase === 'finished') cycles.inc({ action, outcome, failed_step });
    } else if (event.type === 'rejected') rejections.inc({ code: event.rejection.code });
    else if (event.type === 'repair') repairs.inc({ outcome: event.outcome });
  };
}

function verdicts(view: View) {
  return view.controllers.all().map((controller) => ({
    labels: { controller: controller.name, model: controller.model },
    state: conditionOf(controller, view).state,
  }));
}

/** Read at each scrape: a metric without a sample then is absent. */
export const gauges: Record<string, GaugeSpec<View>> = {
  skolo_power_controller_up: {
    help: 'Whether a switch or PDU responds; absent until it has been queried.',
    labels: ['controller', 'model'],
    read: (view) =>
      verdicts(view)
        .filter(({ state }) => state !== 'unknown')
        .map(({ labels, state }) => [labels, Number(state !== 'down')]),
  },
  skolo_power_controller_failing: {
    help: 'Whether an outlet of a switch or PDU is stuck off, or its description is known to be wrong. While it is, no other outlets of the controller are turned off.',
    labels: ['controller', 'model'],
    read: (view) =>
      verdicts(view).map(({ labels, state }) => [labels, Number(state === 'failing')]),
  },
  skolo_power_sign_in_rejected: {
    help: 'Whether a switch or PDU rejected its login from rack.yaml at the last attempt.',
    labels: ['controller'],
    read: ({ controllers }) =>
      controllers
        .all()
        .map(({ name, rejectsSignIn }) => [{ controller: name }, Number(rejectsSignIn)]),
  },
  skolo_power_jumphost_address_holder: {
    help: "Another computer that has used the jumphost's address in the last 15 minutes. The labels contain its name and port in rack.yaml, and any evidence that it is a jumphost.",
    labels: ['mac', 'machine', 'port', 'evidence'],
    read({ addressHolder }) {
      const holder = addressHolder();
      return holder === undefined ? [] : [[{ ...holder }, 1]];
    },
  },
  skolo_power_outlets_stuck_off: {
    help: 'Outlets that a cycle turned off and that could not be verified as on again. Retries continue.',
    labels: ['outlet'],
    read: ({ store }) =>
      [...store.pendingOns.all]
        .filter(([, { stuck }]) => stuck !== undefined)
        .map(([outlet]) => [{ outlet }, 1]),
  },
  skolo_power_outlets_pending_on: {
    help: 'Outlets that a cycle turned off and that have not been confirmed as on again (pending on).',
    read: ({ store }) => store.pendingOns.all.size,
  },
  skolo_power_oldest_pending_on_timestamp_seconds: {
    help: 'Start time of the oldest pending on; absent if no outlet has one.',
    read({ store }) {
      const since = [...store.pendingOns.all.values()].map((each) => Date.parse(each.since));
      return since.length > 0 ? Math.min(...since) / 1000 : undefined;
    },
  },
  skolo_power_outlets_switched_off: {
    help: 'Outlets that an operator or an endpoint client turned off. The daemon does not turn them on automatically.',
    labels: ['outlet'],
    read: ({ store }) => [...store.switchedOff.all.keys()].map((outlet) => [{ outlet }, 1]),
  },
  skolo_power_machines_held: {
    help: 'Machines on hold, by who holds them, whether the hold is on the machine, on equipment that powers it, or on the rack.',
    labels: ['by'],
    read({ rack, snapshot }) {
      const now = snapshot();
      const holders = allTargets(rack()).flatMap((target) => {
        const [hold] = target.machine?.name === target.name ? holdsOf(target, now) : [];
        return hold?.by ?? [];
      });
      return [...Map.groupBy(holders, (by) => by)].map(([by, { length }]) => [{ by }, length]);
    },
  },
  skolo_power_machines_need_attention: {
    help: 'Machines that automatic repair has given up on.',
    labels: ['machine'],
    read: ({ store }) =>
      [...store.repairs.all.values()]
        .filter(({ needsAttention }) => needsAttention !== undefined)
        .map(({ target }) => [{ machine: target }, 1]),
  },
  skolo_power_outlet_on: {
    help: 'Whether the outlet was on at the last reading. Covers outlets that power a target in rack.yaml and outlets that an operator turned off; absent while unknown.',
    labels: ['outlet'],
    read(view) {
      const { store, readings } = view;
      const off = [...store.switchedOff.all.keys()].flatMap((outlet) => {
        const state = readings.get(outlet)?.state;
        return state === undefined ? [] : [{ outlet, state }];
      });
      return [...outletStatuses(view), ...off]
        .filter(({ state }) => state !== 'unknown')
        .map(({ outlet, state }) => [{ outlet }, Number(state === 'on')]);
    },
  },
  skolo_power_outlet_watts: {
    help: 'Power that the outlet supplied at the last reading, as its controller reports it: outlets without a meter report 0 W, and PoE ports may report what they allot. Absent while unknown.',
    labels: ['outlet'],
    read: (view) =>
      outletStatuses(view).flatMap(({ outlet, watts = Number.NaN }) =>
        watts >= 0 && watts <= mostWatts ? [[{ outlet }, watts]] : [],
      ),
  },
  skolo_power_outlet_fault: {
    help: 'Whether the controller reported an outlet fault (short circuit, overload) at the last reading; absent while unknown.',
    labels: ['outlet'],
    read: (view) =>
      outletStatuses(view)
        .filter(({ state }) => state !== 'unknown')
        .map(({ outlet, fault }) => [{ outlet }, Number(fault !== undefined)]),
  },
};
