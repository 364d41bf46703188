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
  return (
    part &&
    `only a part of the configuration is shown: ${part}; a backup requires ${needsOf(model)}`
  );
}

/** What a status says about equipment that usually reports how much it shows, but did not. */
export function whyUnknown(extent: Extent | undefined, model?: Model): string | undefined {
  if (extent !== 'unknown') return undefined;
  return `the equipment did not say whether it shows the login the whole configuration; a backup requires ${needsOf(model)}`;
}

function needsOf(model: Model | undefined): string {
  return model && 'needs' in model.backup ? model.backup.needs : 'to be shown all of it';
}
