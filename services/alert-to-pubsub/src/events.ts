/** All events of alert-to-pubsub. Its parts emit them; `react` in service.ts lists what follows from each. */
import type { Endpoint, SinkReason } from '@skolo/alerts';
import type { Receiver } from '@skolo/api';
import type { DegradedCode } from '@skolo/api/probes';
import type { Received } from './receive/batch.ts';
import type { RejectionReason } from './receive/rejection.ts';

export type AlertEvent =
  /** `leftOut`: new alerts rejected at the limit. `overShare`: new alerts left out at the limit of their machine. */
  | { type: 'received'; received: Received; leftOut: number; overShare: number }
  | { type: 'rejected'; endpoint: Endpoint; reason: RejectionReason; why: string; cause?: unknown }
  | { type: 'request-failed'; endpoint: Endpoint; requestId: string; error: unknown }
  /** The number of messages in the spool that an alert began to fire, or was resolved. */
  | { type: 'transitions'; firing: number; resolved: number }
  | { type: 'notice-failed'; notice: string; error: unknown }
  /** This many bytes at its end were not acknowledged, and are kept in a file. */
  | { type: 'spool-torn'; bytes: number }
  | { type: 'spool-restored' }
  /** `records`: as the metric counts them. */
  | { type: 'spool-damaged'; records: number; lost: number; lines: number; isInUse: boolean }
  | { type: 'known-alerts-lost'; known: number }
  /** How often the process has died while it read the spool. */
  | { type: 'spool-kills'; deaths: number }
  | { type: 'tick-failed' | 'shrink-failed'; error: unknown }
  /** `why` is absent once the problem is solved. */
  | {
      type: 'degraded';
      what: 'spool' | 'receiver secrets';
      why: string | undefined;
      code?: DegradedCode | undefined;
    }
  | { type: 'sink-added'; sink: string }
  | { type: 'sink-not-closed'; sink: string; error: unknown }
  | { type: 'sent'; sink: string; messages: number }
  | { type: 'send-failed'; sink: string; reason: SinkReason; code: string; why: string }
  /** A message that may have arrived so often, and is not sent again, because a later one about its alert waits. */
  | { type: 'not-repeated'; sink: string; times: number }
  | { type: 'sink-recovered'; sink: string; seconds: number }
  /** `id` is absent if a record of the spool is not a message. */
  | { type: 'dead-letter'; sink: string; why: string; code: string; id?: string }
  | { type: 'dropped'; sink: string; count: number }
  | { type: 'gap-notice-failed'; sink: string }
  | { type: 'spool-unreadable'; sink: string; error: unknown }
  | { type: 'spool-readable'; sink: string }
  | { type: 'heartbeat-sent'; sink: string }
  | { type: 'heartbeat-failed'; sink: string; reason: SinkReason; code: string; why: string }
  /** All receivers. `alert` was received last. */
  | { type: 'silent'; seconds: number | undefined; alert: string | undefined }
  | { type: 'no-longer-silent'; alert: string | undefined }
  | { type: 'receiver-silent' | 'receiver-no-longer-silent'; receiver: Receiver };

export type EmitAlertEvent = (event: AlertEvent) => void;
