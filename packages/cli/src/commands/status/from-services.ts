/** A rack without Prometheus, such as the demo: what machine-state knows from agents and services. Pure. */
import type { Machine, RackView, ServiceState } from '@skolo/api';
import { isSilent } from '@skolo/api/silence';
import { countsBy, judged, type RackHealth } from '@skolo/fleet';

/** Nothing need evaluate alert rules in such a rack, so whatever needs attention is a warning, even without an alert. */
export function healthFrom(
  { services, equipment, causes, alerts, alertPath }: RackView,
  machines: readonly Machine[],
  now: number,
): RackHealth {
  const switching = equipment.filter(({ ports }) => ports.some(({ state }) => state !== undefined));
  const up = switching.filter(({ state }) => state === 'up').length;
  const backups = equipment.flatMap(({ lastBackup }) => lastBackup ?? []).map(Date.parse);
  // One that has only just been asked for the first time is not silent yet.
  const isUnknown = ({ condition, needsAttention }: Machine) =>
    condition === 'unknown' || (condition === 'never-reported' && needsAttention === undefined);
  const isAway = (machine: Machine) =>
    isSilent(machine) || (machine.condition === 'never-reported' && !isUnknown(machine));
  const holders = machines.flatMap(({ power }) => power?.hold?.by ?? []);
  const health = judged({
    at: now / 1000,
    versions: Object.fromEntries(
      services.flatMap(({ name, version }) => (version === undefined ? [] : [[name, [version]]])),
    ),
    agents: countsBy(machines.flatMap(({ versions }) => versions?.agent ?? [])),
    down: services.filter(isDown).map(({ name }) => name),
    alerts: [...alerts, ...machines.flatMap((machine) => machine.alerts)]
      .filter(({ name, severity }) => severity !== 'info' && name !== 'Watchdog')
      .map(({ name, severity = '' }) => ({ alertname: name, severity })),
    machines: {
      all: machines.length,
      silent: machines.filter(isSilent).length,
      held: holders.length,
      heldBy: countsBy(holders),
    },
    seen: Object.fromEntries(machines.map((machine) => [machine.name, !isAway(machine)])),
    health: countsBy(machines.flatMap(({ health }) => health?.verdict ?? [])),
    conditions: countsBy(
      machines.map((machine) => (isUnknown(machine) ? 'unknown' : machine.condition)),
    ),
    serviceStates: Object.fromEntries(
      services.flatMap(({ name, state = 'ready' }) =>
        state === 'unreachable' || state === 'ready' ? [] : [[name, state]],
      ),
    ),
    ...(switching.length > 0 && { controllers: { all: switching.length, up } }),
    ...(backups.length > 0 && { backupSeconds: (now - Math.min(...backups)) / 1000 }),
    ...(alertPath && { delivery: alertPath.state }),
  });
  const needAttention = machines.filter((machine) => machine.needsAttention !== undefined).length;
  const isOk = needAttention + causes.length === 0 && up === switching.length;
  const isKnown = !services.some(({ state }) => state === 'unknown');
  const state = !isOk ? 'warning' : isKnown ? health.state : 'unknown';
  return { ...health, ...((health.state === 'ok' || health.state === 'unknown') && { state }) };
}

function isDown({ state, reachable }: ServiceState): boolean {
  return state === undefined ? !reachable : state === 'unreachable';
}
