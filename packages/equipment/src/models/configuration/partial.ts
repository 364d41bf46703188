/** Decides what messages say about a configuration of which a device shows only a part. */
import type { Extent } from '../contract/backup.ts';
import type { Model } from '../contract/model.ts';

/** Why it is only a part; undefined: it is whole, or nobody knows. */
export function partOf(extent: Extent | undefined): string | undefined {
  return typeof extent === 'object' ? extent.part : undefined;
}

/** The same with what to do. */
export function whyPartial(extent: Extent | undefined, model?: Model): string | undefined {
  const part = partOf(extent);
  const needs = model && 'needs' in model.backup ? model.backup.needs : 'to be shown all of it';
  return part && `only a part of the configuration is shown: ${part}; a backup requires ${needs}`;
}
