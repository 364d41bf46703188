/** What the journal keeps of the places off site: what waits to leave the rack, and how far each place is. */
import { Time } from '@skolo/api';
import { z } from 'zod';

/** A version that waits to be stored in a place. Where its content is, the place asks when its turn comes. */
export const UploadRecord = z.object({
  /** Counts up: the order in which they leave, whatever the wall clock says. */
  number: z.int(),
  /** As `Destination.id`. */
  place: z.string(),
  device: z.string(),
  version: z.string(),
  time: Time,
  sha1: z.string().exactOptional(),
  model: z.string().exactOptional(),
});
export type UploadRecord = z.output<typeof UploadRecord>;

/** The newest version of a device that a place has. */
export const StoredRecord = z.object({
  place: z.string(),
  device: z.string(),
  version: z.string(),
});
export type StoredRecord = z.output<typeof StoredRecord>;
