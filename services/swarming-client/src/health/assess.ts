/** Decides whether the machine gets tasks, and if not, why and since when, from all reasons, the worst first. */
import { deviceReasons, type Finding, type Was } from './device-reasons.ts';
import {
  type Health,
  type HealthFacts,
  type HealthSettings,
  type Reason,
  verdicts,
} from './health.ts';
import { machineReasons } from './machine-reasons.ts';

/**
 * @param previous The last assessment: a threshold that was passed is cleared only at its other edge, and a reason that stays keeps its
 * `since`, while its text follows the figures.
 */
export function assess(
  previous: Health | undefined,
  facts: HealthFacts,
  settings: HealthSettings,
): Health {
  const was: Was = (code, device) =>
    previous?.reasons.find((reason) => reason.code === code && reason.device === device);
  const reasons = [
    ...machineReasons(facts, settings, was),
    ...facts.devices.flatMap((view) => deviceReasons(view, facts, settings, was)),
  ]
    .map((finding) => reasonOf(finding, facts, was))
    .sort((a, b) => rank(b) - rank(a));
  const verdict = reasons[0]?.verdict ?? 'ok';
  const since = previous?.verdict === verdict ? previous.since : facts.now;
  return { verdict, since, reasons };
}

function reasonOf({ began, ...found }: Finding, { now }: HealthFacts, was: Was): Reason {
  return { ...found, since: was(found.code, found.device)?.since ?? began ?? now };
}

function rank({ verdict }: Reason): number {
  return verdicts.indexOf(verdict);
}
