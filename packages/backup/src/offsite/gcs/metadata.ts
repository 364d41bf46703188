/** The parts of Google's storage responses that matter here. */
import { z } from 'zod';

export const Metadata = z.looseObject({
  kind: z.literal('storage#object'),
  name: z.string(),
  size: z.coerce.number(),
  generation: z.coerce.string(),
  timeCreated: z.iso.datetime({ offset: true }),
  md5Hash: z.string().optional(),
  metadata: z
    .looseObject({
      time: z.iso.datetime({ offset: true }).optional().catch(undefined),
      model: z.string().optional().catch(undefined),
      md5: z.string().optional().catch(undefined),
    })
    .default({}),
});
export type Metadata = z.output<typeof Metadata>;

export const Page = z.looseObject({
  kind: z.literal('storage#objects'),
  items: z.array(Metadata).default([]),
  nextPageToken: z.string().optional(),
});

/** Whether the stored object is what a rack uploaded. */
export function isWhole({ md5Hash, metadata }: Metadata, md5: string): boolean {
  return md5Hash !== undefined && (md5Hash === md5 || md5Hash === metadata.md5);
}

/** When the content was read, otherwise when it was stored. RFC 3339. */
export function timeOf({ metadata, timeCreated }: Metadata): string {
  return new Date(metadata.time ?? timeCreated).toISOString();
}
