/**
 * Decides how long a push waits until alerts and machines are as healthy as before, as the rack's Prometheus reports them, and when it
 * fails.
 */
import { errorText, pause } from '@skolo/base';
import { FleetError } from '../errors.ts';
import { type RackHealth, readHealth } from '../survey/rack-health.ts';
import { askHealth, askPrometheus } from '../survey/status.ts';
import { isRejected } from '../way/kubectl.ts';
import type { RackPlan } from './plan.ts';
import { isRackFile, rackIn } from './push-rack-file.ts';
import type { ServiceDeps } from './service-state.ts';
import { missing, worsened } from './worsened.ts';

interface HealthDeps extends ServiceDeps {
  plan: RackPlan;
  /** As returned by `performance.now()`, before the first change. */
  start: number;
}

/** Time range for tasks, in which Prometheus requires two scrapes. */
const shortestWindowSeconds = 60;

/** The text that `readHealth` reads; undefined if Prometheus does not respond. The jumphost's metrics are not compared. */
export async function readRackHealth({
  rack,
  signal,
  report,
}: Pick<HealthDeps, 'rack' | 'signal' | 'report'>): Promise<string | undefined> {
  try {
    const text = await askPrometheus(rack.kubectl, '', signal);
    readHealth(text);
    return text;
  } catch (error) {
    signal.throwIfAborted();
    report(`alerts and machine health cannot be compared: ${errorText(error)}`);
    return undefined;
  }
}

/** Why what agents report cannot be compared with what was stored before; undefined: it can. */
export function whyIncomparable({ reports }: RackHealth): string | undefined {
  if (reports !== undefined) return undefined;
  return 'what agents report is not compared, because an earlier version of skolo stored their health, and not by machine';
}

/** @throws FleetError Alerts and machines are worse than before, or Prometheus no longer reports what it reported. */
export async function untilAsHealthy(
  before: RackHealth,
  { rack, plan, times, signal, report, start }: HealthDeps,
): Promise<void> {
  const machines = newMachines(plan);
  const asked = performance.now();
  let said = whyIncomparable(before) ?? '';
  if (said !== '') report(said);
  for (;;) {
    const seconds = Math.max(shortestWindowSeconds, (performance.now() - start) / 1000);
    const after = await askHealth(rack.kubectl, '', signal, seconds).catch((error: unknown) => {
      if (signal.aborted || isRejected(error, 'Unreachable')) throw error;
      return errorText(error);
    });
    const isSilent = typeof after === 'string';
    const faults = isSilent ? [] : worsened(before, after);
    const silences = isSilent
      ? [`Prometheus responded before the push, but no longer does: ${after}`]
      : missing(before, after, machines);
    if (faults.length + silences.length === 0) return;
    const text = [...faults, ...silences].join(', ');
    if (faults.length > 0 || performance.now() - asked > times.readyMs) throw new FleetError(text);
    if (text !== said) report(`waiting: ${text}`);
    said = text;
    await pause(times.pollMs, signal);
  }
}

/** Names of the machines in a rack.yaml that the push changes. */
function newMachines({ objects }: RackPlan): ReadonlySet<string> | undefined {
  const file = objects.find(({ wanted, action }) => action !== 'keep' && isRackFile(wanted));
  return file && new Set(rackIn(file.wanted).machines.keys());
}
