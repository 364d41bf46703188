/** What the doors understand of a request; from here on all doors are alike. */
import type { Door, Group } from '@skolo/alerts';

/** One alert as somebody told it. Labels without values are gone, zero times are absent. */
export interface HeardAlert {
  /** At least one; each with a value. */
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** Only the webhook says so; otherwise it is resolved when `endsAt` has passed. */
  status?: 'firing' | 'resolved';
  /** Milliseconds since the epoch. */
  startsAt?: number;
  /** Milliseconds since the epoch; the webhook has it only when it is resolved. */
  endsAt?: number;
  generatorURL?: string;
  /** What else there was. */
  more?: Record<string, unknown>;
}

/** Something in a good request that is not an alert. */
export interface BadAlert {
  /** For people: which field, what was found. */
  why: string;
  /** As it came. */
  found: unknown;
}

/** One request. */
export interface Batch {
  door: Door;
  alerts: HeardAlert[];
  bad: BadAlert[];
  /** What the webhook says beside its alerts. */
  group?: Group;
  /** Alerts that Alertmanager left out because of `max_alerts`. */
  truncated: number;
}

/** Alerts cannot be accepted now: the sender has to come again. The message says why and what to do. */
export class NotAccepted extends Error {
  readonly retryAfterSeconds: number;

  constructor(message: string, retryAfterSeconds: number, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NotAccepted';
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** What the doors hand to. */
export interface Intake {
  /**
   * Fulfilled when all of the batch, the bad ones too, is on the disk.
   *
   * @throws NotAccepted Nothing of it is; or, at the limit of known alerts, all but the new ones.
   */
  accept(batch: Batch): Promise<void>;
}
