/** Writes events to the log. A lasting state is one line when it begins, and one when it ends. */

import { errorText } from '@skolo/base';
import type { Clock, Logger } from '@skolo/common';
import type { AlertEvent, EmitAlertEvent } from './events.ts';

/** A rejected client retries: one line per minute for each endpoint and reason. */
const rejectedEverySeconds = 60;
/** A sink's reasons may alternate all day. */
const reasonEverySeconds = 60;

type Of<T extends AlertEvent['type']> = Extract<AlertEvent, { type: T }>;

export function createEventLog(log: Logger, clock: Clock): EmitAlertEvent {
  const logRejection = rejectionLog(log, clock);
  const failures = failureLog(log, clock);
  const heartbeats = new Map<string, string>();
  const unreadable = new Map<string, string>();

  /** Whether it is logged: once per reason, until it is over. */
  function isChanged(reasons: Map<string, string>, sink: string, reason: string): boolean {
    const isSame = reasons.get(sink) === reason;
    reasons.set(sink, reason);
    return !isSame;
  }

  return function logEvent(event) {
    switch (event.type) {
      case 'rejected':
        return logRejection(event);
      case 'send-failed':
        return failures.noteFailure(event);
      case 'sink-recovered':
        return failures.noteRecovery(event);
      case 'spool-unreadable':
        if (!isChanged(unreadable, event.sink, errorText(event.error))) return;
        break;
      case 'spool-readable':
        if (!unreadable.delete(event.sink)) return;
        break;
      case 'heartbeat-failed':
        if (!isChanged(heartbeats, event.sink, event.reason)) return;
        break;
      case 'heartbeat-sent':
        if (!heartbeats.delete(event.sink)) return;
        break;
    }
    const line = lines[event.type];
    if (line === undefined) return;
    const [level, text] = line;
    const { type: _, ...facts } = event;
    if (!('error' in facts)) log[level](facts, text);
    else if (level === 'error') log.error({ ...facts, error: undefined, err: facts.error }, text);
    else log[level]({ ...facts, error: undefined, why: errorText(facts.error) }, text);
  };
}

function rejectionLog(log: Logger, clock: Clock) {
  const logged = new Map<string, { at: number; unlogged: number }>();
  return ({ endpoint, reason, why, cause }: Of<'rejected'>) => {
    const key = `${endpoint} ${reason}`;
    const known = logged.get(key);
    const now = clock.uptime();
    if (known !== undefined && now - known.at < rejectedEverySeconds) {
      known.unlogged += 1;
      return;
    }
    const fields = { endpoint, reason, why, unlogged: known?.unlogged ?? 0 };
    log.warn({ ...fields, ...(cause instanceof Error && { err: cause }) }, 'alerts rejected');
    logged.set(key, { at: now, unlogged: 0 });
  };
}

function failureLog(log: Logger, clock: Clock) {
  const failing = new Map<string, { since: number; isLogged: boolean }>();
  const reasonsLogged = new Map<string, number>();
  return {
    noteFailure({ sink, reason, code, why }: Of<'send-failed'>) {
      // Only the message is to blame.
      if (reason === 'too-large') return;
      const now = clock.uptime();
      const state = failing.get(sink) ?? { since: now, isLogged: false };
      failing.set(sink, state);
      const key = `${sink} ${reason}`;
      const at = reasonsLogged.get(key) ?? Number.NEGATIVE_INFINITY;
      if (at >= state.since || now - at < reasonEverySeconds) return;
      reasonsLogged.set(key, now);
      state.isLogged = true;
      log.warn({ sink, reason, code, why }, 'sink is not accepting messages');
    },
    noteRecovery({ sink, seconds }: Of<'sink-recovered'>) {
      if (failing.get(sink)?.isLogged)
        log.info({ sink, seconds }, 'sink is accepting messages again');
      failing.delete(sink);
    },
  };
}

/** Logged with all fields of the event. An `error` is logged with its stack if the level asks for it. */
const lines: Partial<Record<AlertEvent['type'], readonly ['info' | 'warn' | 'error', string]>> = {
  'request-failed': ['error', 'request failed'],
  'notice-failed': ['warn', 'notice could not be written'],
  'spool-torn': [
    'warn',
    'spool ended within an unacknowledged record, which was saved to a *.torn file',
  ],
  'spool-restored': ['error', 'spool was deleted while in use and has been recreated'],
  'spool-damaged': ['error', 'spool was damaged'],
  'spool-unreadable': ['error', 'spool messages cannot be read'],
  'spool-readable': ['info', 'spool messages can be read again'],
  'spool-kills': [
    'error',
    'process died while it read the spool; large records become dead letters',
  ],
  'known-alerts-lost': ['error', 'list of known alerts was lost'],
  'tick-failed': ['warn', 'alerts cannot be expired or refreshed'],
  'shrink-failed': ['warn', 'spool could not be compacted'],
  'sink-not-closed': ['warn', 'sink did not shut down'],
  'dead-letter': ['error', 'message became a dead letter'],
  dropped: ['error', 'messages dropped'],
  'not-repeated': ['warn', 'message may have arrived, and is not sent again'],
  'gap-notice-failed': ['warn', 'gap notice could not be written'],
  'heartbeat-sent': ['info', 'heartbeats are being delivered again'],
  'heartbeat-failed': ['warn', 'heartbeats are not being delivered'],
  silent: ['error', 'Prometheus or Alertmanager is silent'],
  'no-longer-silent': ['info', 'Prometheus or Alertmanager is sending alerts again'],
  'receiver-silent': ['error', 'receiver is silent'],
  'receiver-no-longer-silent': ['info', 'receiver is no longer silent'],
};
