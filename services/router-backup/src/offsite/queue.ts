/** Versions waiting to be sent, and the newest version in each destination: in memory, and in the journal. */
import { Time } from '@skolo/api';
import { newNonce, type Version } from '@skolo/backup';
import { type Change, type Journal, Tables } from '@skolo/base/durable';
import { z } from 'zod';

/** A version waiting to be sent to a destination. Its content is read when it is sent. */
export const WaitingCopy = z.object({
  /** Incremented: the order of sending, independent of the wall clock. */
  number: z.int(),
  /** As `Destination.id`. */
  place: z.string(),
  device: z.string(),
  version: z.string(),
  time: Time,
  sha1: z.string().optional(),
  /** Of the version; one that has none gets one here, so that every attempt to send it uses the same name. */
  nonce: z.string().default(newNonce),
  model: z.string().optional(),
  /** ID of the backup key that authenticates the copy; absent until it was sent. */
  key: z.string().optional(),
});
export type WaitingCopy = z.output<typeof WaitingCopy>;

/** A device's newest version in a destination. */
const StoredRecord = z.object({
  place: z.string(),
  device: z.string(),
  version: z.string(),
  /** As in `WaitingCopy`. */
  key: z.string().optional(),
});

export class Queue extends Tables {
  private readonly waiting = this.table('upload', WaitingCopy, ({ number }) => keyOf(number));
  private readonly stored = this.table('stored', StoredRecord, ({ place, device }) =>
    keyOfStored(place, device),
  );
  private last = 0;

  override load(journal: Journal): number {
    const unreadable = super.load(journal);
    for (const { number } of this.waiting.all.values()) this.last = Math.max(this.last, number);
    return unreadable;
  }

  /** Versions waiting for a destination, oldest first. */
  for(place: string): WaitingCopy[] {
    return [...this.waiting.all.values()]
      .filter((record) => record.place === place)
      .sort((a, b) => a.number - b.number);
  }

  /**
   * A device's newest version in a destination.
   *
   * @param key ID of the backup key that must authenticate it there; by default, any or none
   */
  newest(place: string, device: string, key?: string): string | undefined {
    const record = this.stored.get(keyOfStored(place, device));
    return key === undefined || record?.key === key ? record?.version : undefined;
  }

  /** Whether a version was ever stored in a destination. */
  isKnown(place: string): boolean {
    return [...this.stored.all.values()].some((record) => record.place === place);
  }

  /** Queues versions, unless they are queued. Never throws. */
  async add(place: string, versions: readonly Version[]): Promise<void> {
    const waits = new Set(this.for(place).map(({ version }) => version));
    const changes: Change[] = [];
    for (const { id, device, time, sha1, nonce = newNonce(), model } of versions) {
      if (waits.has(id)) continue;
      this.last += 1;
      const record: WaitingCopy = {
        number: this.last,
        place,
        device,
        version: id,
        time,
        sha1,
        nonce,
        model,
      };
      changes.push(this.waiting.put(record));
    }
    if (changes.length > 0) await this.writeLater(changes);
  }

  /** They are stored in their destination now. */
  async arrived(records: readonly WaitingCopy[]): Promise<void> {
    await this.writeLater(
      records.flatMap(({ number, place, device, version, key }) => [
        this.waiting.remove(keyOf(number)),
        this.stored.put({ place, device, version, key }),
      ]),
    );
  }

  /** The same versions have other IDs now. Never throws. */
  async rename(ids: ReadonlyMap<string, string>): Promise<void> {
    const changes: Change[] = [];
    for (const record of this.waiting.all.values()) {
      const version = ids.get(record.version);
      if (version !== undefined) changes.push(this.waiting.put({ ...record, version }));
    }
    for (const record of this.stored.all.values()) {
      const version = ids.get(record.version);
      if (version !== undefined) changes.push(this.stored.put({ ...record, version }));
    }
    if (changes.length > 0) await this.writeLater(changes);
  }

  async drop(...records: readonly WaitingCopy[]): Promise<void> {
    await this.writeLater(records.map(({ number }) => this.waiting.remove(keyOf(number))));
  }

  /** Forgets all other destinations. Returns how many versions waited for each of those. */
  async retain(places: ReadonlySet<string>): Promise<Map<string, number>> {
    const waiting = [...this.waiting.all.values()].filter(({ place }) => !places.has(place));
    const stored = [...this.stored.all.values()].filter(({ place }) => !places.has(place));
    const gone = new Map(stored.map(({ place }) => [place, 0]));
    for (const { place } of waiting) gone.set(place, (gone.get(place) ?? 0) + 1);
    const changes = [
      ...waiting.map(({ number }) => this.waiting.remove(keyOf(number))),
      ...stored.map(({ place, device }) => this.stored.remove(keyOfStored(place, device))),
    ];
    if (changes.length > 0) await this.writeLater(changes);
    return gone;
  }
}

/** So that keys sort like the numbers. */
function keyOf(number: number): string {
  return String(number).padStart(12, '0');
}

function keyOfStored(place: string, device: string): string {
  return `${place} ${device}`;
}
