/** Checks that the keys that describe a device do not contradict each other, as its model says. */
import { models } from '@skolo/equipment/models';
import { type Draft, type Report, within } from '../draft/draft.ts';

export function checkTemplates(draft: Draft, report: Report): void {
  for (const equipment of draft.rack.equipment.values()) {
    const found = models.get(equipment.model)?.contradictions?.(equipment.options) ?? [];
    for (const { key, what } of found) report(within(draft, equipment, key), 'template', what);
  }
}
