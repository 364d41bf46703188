/** An entry of the history, as stored in the database and as shown by the API. */
import { type Cause, HistoryEntry } from '@skolo/api';
import { isoTime, parseJson } from '@skolo/base';
import { given } from '../join/machine.ts';
import type { StoredKind } from './database.ts';

/** Together with machine and kind, it identifies the entry: the second one ends or changes the first. */
export interface Entry {
  /** Empty: the rack. */
  machine: string;
  kind: StoredKind;
  /** Milliseconds since 1970. */
  at: number;
  device?: string | undefined;
  /** The name of a condition; the ID of a task, cycle or hold; the name of an alert; the step of a repair; the kind of omitted entries; the name of a service; the new version of an agent. */
  key?: string | undefined;
  endedAt?: number | undefined;
  /** The reasons' codes of a condition, the severity of an alert, the number of omitted entries, the version of a service. */
  outcome?: string | undefined;
  /** Text for a condition or repair, what ended a task if it was the infrastructure, otherwise JSON. */
  data?: string | undefined;
  /** Of a silent machine's condition: what silent machines share, and its last answer in milliseconds since 1970. */
  cause?: Cause | undefined;
  seenAt?: number | undefined;
  /** Of a task or hold that begins: keys of those that continue beside it. The end of any other one was missed. Absent: not known. */
  besides?: readonly Entry['key'][];
}

/** Undefined: it is of another version, or damaged. */
export function shownEntry(entry: Entry): HistoryEntry | undefined {
  const { machine, device, kind, at, endedAt, outcome } = entry;
  const shown = {
    at: isoTime(at),
    machine,
    kind,
    ...given({ device, outcome }),
    ...(endedAt !== undefined && { endedAt: isoTime(endedAt) }),
    ...ownFields(entry),
  };
  return HistoryEntry.safeParse(shown).data;
}

function ownFields({ kind, key, outcome, data }: Entry): object {
  const json = () => (data === undefined ? {} : (parseJson(data) as object));
  switch (kind) {
    case 'condition':
      return { condition: key, text: data ?? '', codes: outcome ? outcome.split(',') : [] };
    case 'task':
      return given({ id: key, infrastructure: data });
    case 'cycle':
    case 'hold':
      return { id: key, ...json() };
    case 'repair':
      return { step: key, ...(data !== undefined && { text: data }) };
    case 'alert':
      return { name: key, ...(outcome !== undefined && { severity: outcome }) };
    case 'boot':
      return { bootId: key };
    case 'would-have':
      return json();
    case 'omitted':
      return { of: key, count: Number(outcome) };
    // Only in the timeline.
    case 'rollout':
    case 'service':
    case 'rack-file':
      return {};
  }
}
