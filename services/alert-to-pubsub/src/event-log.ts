/** Writes events to the log. A state that lasts is one line when it begins, and one when it ends. */

import { errorText } from '@skolo/base';
import type { Clock, Logger } from '@skolo/common';
import type { AlertEvent, EmitAlertEvent } from './events.ts';

/** A client that is rejected tries again: one line a minute for each endpoint and reason. */
const rejectedEverySeconds = 60;
/** A sink's reasons may alternate all day. */
const reasonEverySeconds = 60;

type Of<T extends AlertEvent['type']> = Extract<AlertEvent, { type: T }>;

export function createEventLog(log: Logger, clock: Clock): EmitAlertEvent {
  const logRejection = rejectionLog(log, clock);
  const failures = failureLog(log, clock);
  const heartbeats = new Map<string, string>();
  const unreadable = new Map<string, string>();

  /** Whether it is logged: once for each reason, until it is over. */
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
        return failures.begin(event);
      case 'sink-recovered':
        return failures.end(event);
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
    const line = lineOf(event);
    if (line !== undefined) log[line.level](line.fields ?? {}, line.text);
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
    begin({ sink, reason, code, why }: Of<'send-failed'>) {
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
      log.warn({ sink, reason, code, why }, 'sink does not accept messages');
    },
    end({ sink, seconds }: Of<'sink-recovered'>) {
      if (failing.get(sink)?.isLogged) log.info({ sink, seconds }, 'sink accepts messages again');
      failing.delete(sink);
    },
  };
}

interface Line {
  level: 'info' | 'warn' | 'error';
  text: string;
  fields?: object;
}

/** How one event is logged; undefined: not at all. */
function lineOf(event: AlertEvent): Line | undefined {
  const { type, ...facts } = event;
  switch (event.type) {
    case 'request-failed': {
      const fields = { requestId: event.requestId, err: event.error };
      return { level: 'error', text: 'request failed', fields };
    }
    case 'notice-failed': {
      const fields = { notice: event.notice, why: errorText(event.error) };
      return { level: 'warn', text: 'notice cannot be written', fields };
    }
    case 'spool-opened':
      if (event.tornBytes === 0) return undefined;
      return { level: 'warn', text: tornText, fields: { bytes: event.tornBytes } };
    case 'maintenance-failed': {
      const fields = { why: errorText(event.error) };
      return { level: 'warn', text: maintenanceTexts[event.task], fields };
    }
    case 'sink-not-closed': {
      const fields = { sink: event.sink, why: errorText(event.error) };
      return { level: 'warn', text: 'sink does not close', fields };
    }
    case 'spool-unreadable': {
      const fields = { sink: event.sink, err: event.error };
      return { level: 'error', text: 'messages cannot be read from the spool', fields };
    }
    case 'silent': {
      const { receiver, seconds, alert } = event;
      if (receiver === undefined)
        return {
          level: 'error',
          text: 'Prometheus or Alertmanager is silent',
          fields: { seconds, alert },
        };
      return { level: 'error', text: 'a receiver is silent', fields: { receiver } };
    }
    case 'no-longer-silent': {
      const { receiver, alert } = event;
      if (receiver === undefined)
        return {
          level: 'info',
          text: 'Prometheus or Alertmanager sends alerts again',
          fields: { alert },
        };
      return { level: 'info', text: 'a receiver is no longer silent', fields: { receiver } };
    }
    default: {
      const known = plain[type];
      return known && { level: known[0], text: known[1], fields: facts };
    }
  }
}

/** Logged with all that the event has. */
const plain: Partial<Record<AlertEvent['type'], readonly [Line['level'], string]>> = {
  'spool-restored': ['error', 'spool was deleted while in use: it was written again'],
  'spool-damaged': ['error', 'spool was damaged'],
  'spool-readable': ['info', 'messages can be read from the spool again'],
  'known-alerts-lost': ['error', 'list of known alerts was lost'],
  'dead-letter': ['error', 'message became a dead letter'],
  dropped: ['error', 'messages dropped'],
  'gap-notice-failed': ['warn', 'gap notice cannot be written now'],
  'heartbeat-sent': ['info', 'heartbeat arrives again'],
  'heartbeat-failed': ['warn', 'heartbeat does not arrive'],
};

const tornText =
  'the spool ended within a record that was not acknowledged: it is kept in a *.torn file';
const maintenanceTexts = {
  tick: 'alerts cannot be expired or refreshed now',
  shrink: 'spool cannot be made smaller now',
};
