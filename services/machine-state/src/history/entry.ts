/** An entry of the history as the database has it, and as the API shows it. */
import { HistoryEntry } from '@skolo/api';
import { parseJson } from '@skolo/base';
import { given, timeOf } from '../join/machine.ts';
import type { StoredKind } from './database.ts';

/** With machine, kind and key it is the same entry again: the second one ends or changes the first. */
export interface Entry {
  machine: string;
  kind: StoredKind;
  /** Milliseconds since 1970. */
  at: number;
  device?: string | undefined;
  /** Of a condition its name, of a task, cycle or hold the id, of an alert the name, of a repair the step, of what is omitted the kind. */
  key?: string | undefined;
  endedAt?: number | undefined;
  /** Of a condition the codes of its reasons, of an alert the severity, of what is omitted the number. */
  outcome?: string | undefined;
  /** Of a condition and a repair text, else JSON. */
  data?: string | undefined;
}

/** Undefined: it is of another version, or damaged. */
export function shownEntry(entry: Entry): HistoryEntry | undefined {
  const { machine, device, kind, at, endedAt, outcome } = entry;
  const shown = {
    at: timeOf(at),
    machine,
    kind,
    ...given({ device, outcome }),
    ...(endedAt !== undefined && { endedAt: timeOf(endedAt) }),
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
      return key === undefined ? {} : { id: key };
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
  }
}
