/** A push knows the alerts that count machines: those that did not report before it may be all that they are about. */
import type { RackHealth } from '@skolo/fleet';
import { worsened } from '@skolo/fleet/push';
import { expect, it } from 'vitest';
import { alertsIn, ruleFiles } from './rule-files.ts';

const countsMachines = /(^|\s)count\(|rack:\w+:many|sum\(skolo_machines_condition/;
const alerts = ruleFiles.flatMap(alertsIn).filter(({ expr, labels }) => {
  const [counted = ''] = expr.split('unless');
  return labels.severity !== 'info' && countsMachines.test(counted);
});

/** Nobody has heard of its machines. */
const before: RackHealth = {
  at: 0,
  state: 'ok',
  versions: {},
  agents: {},
  down: [],
  alerts: [],
  seen: { 'rpi-1': false, 'rpi-2': false, 'rpi-3': false, 'rpi-4': false },
  health: {},
  conditions: {},
  serviceStates: {},
};

it.each(alerts)('$alert may be about machines that have just begun to report', (rule) => {
  const { severity } = rule.labels;
  const alert = { name: rule.alert, severity, count: 1, subjects: [{}] };

  expect(worsened(before, { ...before, alerts: [alert] })).toEqual([]);
});
