/** Checks that the keys that describe equipment do not contradict each other, as its model says. */
import { models } from '@skolo/equipment/models';
import { z } from 'zod';
import { type Draft, type Report, within } from '../draft/draft.ts';

export function checkContradictions(draft: Draft, report: Report): void {
  const all = [...draft.rack.equipment.values()];
  for (const equipment of all) {
    const lab = draft.labModels.get(equipment.description ?? '');
    const found = models.get(equipment.model)?.contradictions?.(equipment.options) ?? [];
    for (const { key, what } of found) {
      const isOfLab = lab !== undefined && Object.hasOwn(lab.values, key);
      report(isOfLab ? [...lab.path, key] : within(draft, equipment, key), 'template', what);
    }
  }
  for (const [name, lab] of draft.labModels) {
    if (lab === undefined || all.some(({ description }) => description === name)) continue;
    // Without an entry that adds keys, only a complete description can be judged.
    const { data } = z.object(lab.base.options).safeParse(lab.values);
    for (const { key, what } of (data && lab.base.contradictions?.(data)) ?? [])
      report([...lab.path, key], 'template', what);
  }
}
