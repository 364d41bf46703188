/** Reports events to people: log lines, and what is degraded on `/readyz`. */
import type { DegradedList, Logger } from '@skolo/common';
import type { Controllers } from '../equipment/controllers.ts';
import type { EmitPower, PowerEvent } from '../events.ts';
import { feedKey } from '../state/records.ts';

interface ReporterDeps {
  log: Logger;
  degraded: DegradedList;
}

export function createReporter({ log, degraded }: ReporterDeps): EmitPower {
  const algorithms = new Map<string, string>();
  return (event) => {
    switch (event.type) {
      case 'cycle': {
        const { id, target, phase, outcome, detail, by, reason } = event.record;
        if (outcome === 'would-have')
          return log.warn({ cycle: id, target, by, reason, detail }, 'would have power-cycled');
        if (event.previous === undefined || event.previous === phase) return;
        return log.info({ cycle: id, target, phase, outcome, detail }, 'cycle');
      }
      case 'rejected': {
        const { target, code, detail } = event.rejection;
        return log.info({ target, code, detail }, 'rejected');
      }
      case 'controller': {
        const { controller, state, detail } = event;
        log[state === 'up' ? 'info' : 'warn']({ controller, state, detail }, 'controller');
        if (state !== 'down') return degraded.clear(`controller ${controller}`);
        return degraded.raise(`controller ${controller}`, detail ?? 'not responding');
      }
      case 'ssh': {
        // Once per device, and again when it negotiates other algorithms: some day the old ones can be disabled.
        const { device, kex, cipher, legacy } = event.connection;
        if (algorithms.get(device) === `${kex} ${cipher}`) return;
        algorithms.set(device, `${kex} ${cipher}`);
        return log.info({ device, kex, cipher, legacy }, 'ssh');
      }
      case 'stuck-off': {
        const outlet = feedKey(event.pendingOn);
        log.error({ outlet, cycle: event.pendingOn.cycle, why: event.why }, 'stuck off');
        return degraded.raise(`outlet ${outlet}`, `stuck off: ${event.why}`);
      }
      case 'pending-on-ended': {
        const outlet = feedKey(event.pendingOn);
        degraded.clear(`outlet ${outlet}`);
        if (event.wasStuck)
          log.warn({ outlet, cycle: event.pendingOn.cycle }, 'no longer stuck off');
        return;
      }
      case 'repair':
        return reportRepair(event, log);
    }
  };
}

function reportRepair(
  { outcome, machine, tries, why }: Extract<PowerEvent, { type: 'repair' }>,
  log: Logger,
): void {
  if (outcome === 'asked') log.warn({ machine, tries }, 'repair');
  else if (outcome === 'needs-attention') log.error({ machine, why }, 'needs attention');
  // The cycle was logged.
  else if (outcome === 'would-have') return;
  else if (machine !== undefined) log.warn({ machine, why }, 'not repaired');
  else if (why !== undefined) log.warn({ why }, 'internet connection not repaired');
}

/** Controllers that have left rack.yaml are no longer degraded. */
export function forgetRemoved(degraded: DegradedList, controllers: Pick<Controllers, 'get'>): void {
  for (const { what } of degraded.list()) {
    const [kind, name = ''] = what.split(' ');
    if ((kind === 'controller' || kind === 'suspect') && controllers.get(name) === undefined)
      degraded.clear(what);
  }
}
