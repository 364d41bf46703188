/** Writes events to the log. A state that lasts is one line when it begins, and one when it ends. */

import { errorText } from '@skolo/base';
import type { Clock, Logger } from '@skolo/common';
import type { AlertEvent, EmitAlertEvent } from './events.ts';

/** A client that is rejected tries again: one line a minute for each endpoint and reason. */
const refusedEverySeconds = 60;
/** A sink's reasons may alternate all day. */
const reasonEverySeconds = 60;

interface FailingSink {
  since: number;
  isLogged: boolean;
}

export function createEventLog(log: Logger, clock: Clock): EmitAlertEvent {
  const refused = new Map<string, { at: number; unlogged: number }>();
  const failing = new Map<string, FailingSink>();
  const reasonsLogged = new Map<string, number>();
  const heartbeats = new Map<string, string>();
  const unreadable = new Map<string, string>();

  function logRefusal({ endpoint, why, detail, cause }: Extract<AlertEvent, { type: 'refused' }>) {
    const key = `${endpoint} ${why}`;
    const known = refused.get(key);
    const now = clock.uptime();
    if (known !== undefined && now - known.at < refusedEverySeconds) {
      known.unlogged += 1;
      return;
    }
    const fields = { endpoint, why, detail, unlogged: known?.unlogged ?? 0 };
    log.warn({ ...fields, ...(cause instanceof Error && { err: cause }) }, 'alerts refused');
    refused.set(key, { at: now, unlogged: 0 });
  }

  function logFailure({ sink, reason, code, why }: Extract<AlertEvent, { type: 'send-failed' }>) {
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
  }

  return function logEvent(event) {
    switch (event.type) {
      case 'refused':
        return logRefusal(event);
      case 'request-failed':
        return log.error({ requestId: event.requestId, err: event.error }, 'request failed');
      case 'notice-failed': {
        const { notice, error } = event;
        return log.warn({ notice, why: errorText(error) }, 'notice cannot be written');
      }
      case 'spool-opened':
        if (event.tornBytes > 0) log.warn({ bytes: event.tornBytes }, tornText);
        return;
      case 'spool-restored':
        return log.error('spool was deleted while in use: it was written again');
      case 'spool-damaged': {
        const { type: _, ...facts } = event;
        return log.error(facts, 'spool was damaged');
      }
      case 'known-alerts-lost':
        return log.error({ known: event.known }, 'list of known alerts was lost');
      case 'maintenance-failed':
        return log.warn({ why: errorText(event.error) }, maintenanceTexts[event.task]);
      case 'send-failed':
        return logFailure(event);
      case 'sink-recovered': {
        const { sink, seconds } = event;
        if (failing.get(sink)?.isLogged) log.info({ sink, seconds }, 'sink accepts messages again');
        failing.delete(sink);
        return;
      }
      case 'sink-not-closed': {
        const { sink, error } = event;
        return log.warn({ sink, why: errorText(error) }, 'sink does not close');
      }
      case 'dead-letter': {
        const { type: _, ...facts } = event;
        return log.error(facts, 'message became a dead letter');
      }
      case 'dropped':
        return log.error({ sink: event.sink, count: event.count }, 'messages dropped');
      case 'gap-notice-failed':
        return log.warn({ sink: event.sink }, 'gap notice cannot be written now');
      case 'spool-unreadable': {
        const { sink, error } = event;
        const why = errorText(error);
        if (unreadable.get(sink) !== why)
          log.error({ sink, err: error }, 'messages cannot be read from the spool');
        unreadable.set(sink, why);
        return;
      }
      case 'spool-readable':
        if (unreadable.delete(event.sink))
          log.info({ sink: event.sink }, 'messages can be read from the spool again');
        return;
      case 'heartbeat-sent':
        if (heartbeats.delete(event.sink))
          log.info({ sink: event.sink }, 'heartbeat arrives again');
        return;
      case 'heartbeat-failed': {
        const { sink, reason, code, why } = event;
        if (heartbeats.get(sink) !== reason)
          log.warn({ sink, reason, code, why }, 'heartbeat does not arrive');
        heartbeats.set(sink, reason);
        return;
      }
      case 'silent': {
        const { receiver, seconds, alert } = event;
        if (receiver !== undefined) return log.error({ receiver }, 'a receiver is silent');
        return log.error({ seconds, alert }, 'Prometheus or Alertmanager is silent');
      }
      case 'no-longer-silent': {
        const { receiver, alert } = event;
        if (receiver !== undefined) return log.info({ receiver }, 'a receiver is no longer silent');
        return log.info({ alert }, 'Prometheus or Alertmanager sends alerts again');
      }
    }
  };
}

const tornText =
  'the spool ended within a record that was not acknowledged: it is kept in a *.torn file';
const maintenanceTexts = {
  tick: 'alerts cannot be expired or refreshed now',
  shrink: 'spool cannot be made smaller now',
};
