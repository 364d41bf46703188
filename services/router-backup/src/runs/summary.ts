/** The results of a run, in numbers and in one line. */
import type { FailureClass } from '@skolo/api';
import type { RunEntry } from '../state.ts';

/** `text`: `18 ok (2 changed), 1 failed (1 timeout), 1 not backed up` */
export function summaryOf(devices: readonly RunEntry[]) {
  const count = (test: (entry: RunEntry) => boolean) => devices.filter(test).length;
  const changed = count(({ result }) => result === 'changed');
  const unchanged = count(({ result }) => result === 'unchanged');
  const failed = count(({ result }) => result === 'failed');
  const notBackedUp = count(({ result }) => result === 'not-backed-up');
  const unsaved = count((entry) => entry.unsaved === true);
  const failures: Partial<Record<FailureClass, number>> = {};
  for (const { failure } of devices) {
    if (failure !== undefined) failures[failure] = (failures[failure] ?? 0) + 1;
  }
  const ok = changed + unchanged;
  const classes = Object.entries(failures).map(([failure, number]) => `${number} ${failure}`);
  const parts = [
    `${ok} ok${changed > 0 ? ` (${changed} changed)` : ''}`,
    ...(failed > 0 ? [`${failed} failed (${classes.join(', ')})`] : []),
    ...(unsaved > 0 ? [`${unsaved} with unsaved changes`] : []),
    ...(notBackedUp > 0 ? [`${notBackedUp} not backed up`] : []),
  ];
  return { ok, changed, unchanged, failed, failures, notBackedUp, unsaved, text: parts.join(', ') };
}
