/** What is shown of the way, by the API, the metrics and the heartbeat alike. Times in milliseconds since 1970. */
import type { ReceiverStatus, KnownAlert as ShownAlert } from '@skolo/api';
import type { Tracked } from './state.ts';

export interface SinkView {
  name: string;
  kind: 'pubsub' | 'file' | 'http';
  depth: number;
  oldestSeconds: number;
  lastSuccess?: number | undefined;
  wantsHeartbeat: boolean;
  lastHeartbeat?: number | undefined;
  failingSince?: number | undefined;
  reason?: string | undefined;
  detail?: string | undefined;
  /** It takes nothing at all. */
  down?: true;
  /** Messages that became dead letters since the start. */
  setAside: number;
}

export interface View {
  alerts(): ShownAlert[];
  firing(): number;
  spool(): { bytes: number; maxBytes: number };
  /** Why nothing new is accepted, for people. */
  refusing(): string | undefined;
  /** What the spool has lost in the last day, for people. */
  damage(): string | undefined;
  /** What the heartbeat says. */
  health(): { healthy: boolean; why?: string | undefined; lastHeard?: number | undefined };
  receivers(): ReceiverStatus[];
  sinks(): SinkView[];
}

export function shownAlert({ known }: Tracked): ShownAlert {
  const { alert, door, first, last, count, expired } = known;
  const { more: _, ...rest } = alert;
  return { ...rest, door, first, last, count, ...(expired && { expired }) };
}
