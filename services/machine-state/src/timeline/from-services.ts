/** Turns reports of other services into events of the timeline. Pure. */
import {
  type AuditEntry,
  type BackupVersion,
  type KnownAlert,
  mergeAuditLogs,
  type PowerCycle,
  type SinkStatus,
} from '@skolo/api';
import { actionOf, isSignIn } from '@skolo/api/audit-rows';
import { isObject } from '@skolo/base';
import { given } from '../join/machine.ts';
import type { TimelineEvent } from './merge.ts';

export function cycleOf(cycle: PowerCycle): TimelineEvent {
  const { id, target, action, by, reason, requestedAt, startedAt, finishedAt } = cycle;
  const { outcome, failedStep, detail = 'no details' } = cycle;
  const what = action === 'cycle' ? 'power cycle' : `power ${action}`;
  return {
    id: `cycle ${id}`,
    at: Date.parse(requestedAt),
    endedAt: finishedAt === undefined ? undefined : Date.parse(finishedAt),
    kind: 'cycle',
    group: `${action} ${by} ${reason}`,
    text: `${what} by ${by}: ${reason}`,
    by,
    action,
    state: outcome ?? (startedAt === undefined ? 'queued' : 'running'),
    names: [target],
    ...((outcome === 'failed' || outcome === 'inverted' || outcome === 'stuck-off') && {
      details: [`${target}: ${outcome}${failedStep ? ` at ${failedStep}` : ''}: ${detail}`],
    }),
  };
}

interface Alert extends Pick<TimelineEvent, 'at' | 'endedAt' | 'state'> {
  name: string;
  machine: string;
  device?: string | undefined;
  severity?: string | undefined;
}

export function alertEvent(alert: Alert): TimelineEvent {
  const { name, machine, device, at, endedAt, severity, state } = alert;
  const text = `alert ${name}${severity === undefined ? '' : ` (${severity})`}`;
  return {
    id: `alert ${name} ${machine} ${device} ${at}`,
    at,
    endedAt,
    kind: 'alert',
    group: text,
    text,
    names: [machine || device || []].flat(),
    ...given({ state: state ?? (endedAt === undefined ? undefined : 'resolved') }),
  };
}

/** @param isMachine whether rack.yaml contains it */
export function alertOf(alert: KnownAlert, isMachine: (name: string) => boolean): TimelineEvent {
  const { labels, startsAt, endsAt, status } = alert;
  const { alertname = 'without a name', machine = '', severity, device } = labels;
  return alertEvent({
    name: alertname,
    machine: isMachine(machine) ? machine : '',
    severity,
    device,
    state: status,
    at: Date.parse(startsAt),
    endedAt: status === 'resolved' && endsAt !== undefined ? Date.parse(endsAt) : undefined,
  });
}

/** Adds whether a message about the alert has left the rack: a sink sends the messages of its queue in order. */
export function withDelivery(
  event: TimelineEvent,
  sinks: readonly SinkStatus[],
  now: number,
): TimelineEvent {
  if (event.kind !== 'alert') return event;
  const waiting = sinks.filter(
    ({ depth, oldestSeconds, lastSuccess }) =>
      lastSuccess === undefined || (depth > 0 && event.at >= now - oldestSeconds * 1000),
  );
  const why = ({ name, detail }: SinkStatus) => `${name}${detail ? `: ${detail}` : ''}`;
  const delivery =
    waiting.length === 0 ? 'delivered' : `not delivered yet to ${waiting.map(why).join(', ')}`;
  return { ...event, state: [event.state, delivery].filter(Boolean).join(', ') };
}

/** @param previous ID of the version that it replaced */
export function versionOf(
  { id, equipment, time, changedBy, by, reason, run }: BackupVersion,
  previous: string | undefined,
  rack: string,
) {
  const whose = changedBy === undefined ? '' : ` by ${changedBy}`;
  const read =
    by === undefined || by === 'schedule' ? '' : ` (read for ${by}${reason ? `: ${reason}` : ''})`;
  const what = previous === undefined ? 'first configuration stored' : 'configuration changed';
  const text = `${what}${whose}${read}`;
  return {
    id: `version ${equipment} ${id}`,
    at: Date.parse(time),
    kind: 'configuration',
    names: [equipment],
    text,
    group: run ?? equipment,
    ...(previous !== undefined && {
      details: [`skolo backup diff ${equipment} ${previous} ${id} --on ${rack}`],
      versions: [{ equipment, from: previous, to: id }],
    }),
  } satisfies TimelineEvent;
}

/** Changes and rejections, without those whose effect is shown by itself. @param known IDs of cycles, holds and orders */
export function auditEvents(
  logs: readonly { service: string; entries: AuditEntry[] }[],
  known: ReadonlySet<string>,
): TimelineEvent[] {
  return mergeAuditLogs(logs).changes.flatMap((change): TimelineEvent[] => {
    const { service, time, who, what, target = '', why = '', outcome, answer } = change;
    const names = target.split(' ').filter((name) => name !== '');
    const own = {
      by: who,
      id: `audit ${service} ${change.requestId ?? `${time} ${who} ${what} ${target}`}`,
      at: Date.parse(time),
    };
    if (isSignIn(change)) {
      return [{ ...own, kind: 'sign-in', group: who, text: `${who} signed in or out`, names: [] }];
    }
    const isDone = outcome === 'done' || outcome === 'accepted';
    const isNote = what === 'addNote' && service === 'machine-state';
    const isShown = isNote || [...names, ...idsIn(answer)].some((id) => known.has(id));
    // `cycle 0193…`: its end.
    const isEnd = what.split(' ').some((word) => known.has(word));
    if (isEnd || (isDone && isShown)) return [];
    const text = [`${who}: ${actionOf(change)}`, why].filter(Boolean).join(': ');
    const state = isDone ? undefined : outcome === 'begun' ? 'no outcome' : outcome;
    const group = `${text} ${state ?? ''}`;
    return [{ ...own, kind: 'change', group, text, ...given({ state }), names }];
  });
}

/** Of an answer's lists, such as `cycles`. */
function idsIn(answer: object | undefined): string[] {
  const all = Object.values(answer ?? {}).flat();
  return all.flatMap((each) => (isObject(each) && typeof each.id === 'string' ? each.id : []));
}
