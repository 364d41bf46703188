/** Whether something can be accepted: the disk takes it, and the spool is neither too large nor too old. */
import { errorText } from '@skolo/common';
import type { Spool } from '@skolo/durable';
import type { AlertToPubsubSettings } from '@skolo/rack';

export interface RoomDeps {
  settings(): Pick<AlertToPubsubSettings, 'spool'>;
  spool(): Pick<Spool, 'bytes'> | undefined;
  /** How long the oldest message has waited. */
  oldestSeconds(): number;
  /** Gives up what may be given up. */
  makeRoom(): void;
  onTrouble(why: string): void;
  onWell(): void;
}

/** What seems to have waited for longer was written when the clock was not set. */
const tenYears = 10 * 365 * 86_400;

export class Room {
  private readonly deps: RoomDeps;
  /** Why there is no spool. */
  private whyClosed: string | undefined = 'the spool is not open yet';
  /** Why the disk did not take the last change. */
  private trouble: string | undefined;

  constructor(deps: RoomDeps) {
    this.deps = deps;
  }

  /** Why nothing can be accepted now, for people. */
  get refusing(): string | undefined {
    return this.whyClosed ?? this.trouble ?? this.refusal(0);
  }

  /** Tells whether something can be accepted now: the spool becomes full, and has room again, by itself. */
  tell(): void {
    const why = this.refusing;
    if (why === undefined) this.deps.onWell();
    else this.deps.onTrouble(why);
  }

  /** The disk did not take the last change. */
  get isInTrouble(): boolean {
    return this.trouble !== undefined;
  }

  /** Why so many more bytes cannot be accepted, for people. */
  refusal(bytes: number): string | undefined {
    if (this.whyClosed !== undefined) return this.whyClosed;
    if (this.whyFull(bytes) === undefined) return undefined;
    this.deps.makeRoom();
    return this.whyFull(bytes);
  }

  opened(): void {
    this.whyClosed = undefined;
    this.deps.onWell();
  }

  closed(why: string): void {
    this.whyClosed = why;
    this.deps.onTrouble(why);
  }

  /** What came of writing: undefined, or what went wrong. */
  disk(trouble: unknown): void {
    this.trouble = trouble === undefined ? undefined : errorText(trouble);
    if (this.trouble === undefined) this.deps.onWell();
    else this.deps.onTrouble(this.trouble);
  }

  private whyFull(bytes: number): string | undefined {
    const { maxBytes, maxAgeHours } = this.deps.settings().spool;
    const used = this.deps.spool()?.bytes ?? 0;
    if (used + bytes > maxBytes) {
      return `the spool is full (spool.maxBytes: ${maxBytes}): what is in it cannot be delivered; skolo alerts status reports why`;
    }
    const seconds = this.deps.oldestSeconds();
    if (seconds <= maxAgeHours * 3600 || seconds > tenYears) return undefined;
    return `the oldest message has waited for ${Math.round(seconds / 3600)} h (spool.maxAgeHours: ${maxAgeHours}): it cannot be delivered; skolo alerts status reports why`;
  }
}
