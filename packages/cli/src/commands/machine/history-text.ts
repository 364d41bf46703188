/** A machine's history in words. */
import type { HistoryEntry } from '@skolo/api';
import { conditionFacts, conditionWord } from '@skolo/api/silence';
import { count } from '@skolo/base';
import type { Column } from '../../output/table.ts';
import type { Style } from '../../output/text.ts';
import { duration, timestamp } from '../../output/time.ts';
import { cell, sentence } from './agent-text.ts';

interface Told {
  /** `quarantined`, `task`, `usb-cycle`. */
  what: string;
  text: string;
  by?: string | undefined;
  style?: Style | undefined;
}

const styles = { well: 'green', warning: 'yellow', bad: 'red' } as const;

/** Fields that fit on one line each. */
function told(entry: HistoryEntry): Told {
  switch (entry.kind) {
    case 'condition': {
      const { condition, text } = entry;
      return {
        what: conditionWord(condition),
        text,
        style: styles[conditionFacts[condition].level],
      };
    }
    case 'task':
      return { what: 'task', text: withColons([entry.id, entry.outcome, infrastructure(entry)]) };
    case 'cycle': {
      const { action, outcome, reason, by } = entry;
      return { what: action, text: withColons([outcome, reason]), by };
    }
    case 'repair':
      return { what: entry.step, text: withColons([entry.outcome, entry.text]) };
    case 'would-have': {
      const { action, reason, by } = entry;
      return { what: 'would have', text: withColons([action, reason]), by, style: 'yellow' };
    }
    case 'hold': {
      const { until, endedAt, reason, by } = entry;
      return { what: 'hold', text: withColons([endText(endedAt, until), reason]), by };
    }
    case 'order': {
      const { order, endedAt, endedBy, reason, by } = entry;
      const ended =
        endedAt === undefined
          ? undefined
          : endedBy === undefined
            ? 'expired'
            : `ended by ${endedBy}`;
      return { what: order, text: withColons([reason, ended]), by };
    }
    case 'alert': {
      const { name, severity } = entry;
      return { what: 'alert', text: withColons([name, severity]), style: 'red' };
    }
    case 'note':
      return { what: 'note', text: entry.text, by: entry.by };
    case 'boot':
      return { what: 'boot', text: 'the machine booted' };
    case 'omitted': {
      const text = `${count(entry.count, `${entry.of} event`)} omitted, because the history limits the number of entries per hour`;
      return { what: 'omitted', text, style: 'yellow' };
    }
  }
}

function infrastructure({ infrastructure: why }: { infrastructure?: string | undefined }) {
  return why && `infrastructure, because ${why}`;
}

function withColons(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join(': ');
}

function endText(endedAt: string | undefined, until: string): string {
  return endedAt === undefined ? `until ${timestamp(until)}` : `ended ${timestamp(endedAt)}`;
}

function lasted(entry: HistoryEntry): string | undefined {
  if (!('endedAt' in entry) || entry.endedAt === undefined) return undefined;
  return duration((Date.parse(entry.endedAt) - Date.parse(entry.at)) / 1000);
}

export const historyColumns: Column<HistoryEntry>[] = [
  { title: 'AT', cell: ({ at }) => timestamp(at) },
  { title: 'WHAT', cell: (entry) => cell(told(entry).what), style: (entry) => told(entry).style },
  { title: 'DEVICE', cell: ({ device }) => device && cell(device), leaveOut: 2 },
  { title: 'TOOK', cell: lasted, align: 'right', leaveOut: 1 },
  { title: 'BY', cell: (entry) => told(entry).by && cell(told(entry).by ?? ''), leaveOut: 3 },
  { title: 'TEXT', cell: (entry) => sentence(told(entry).text), shrinkTo: 16, below: true },
];

/** One line of a page: `2026-11-20T12:00:00Z quarantined: device: missing`. */
export function historyLine(entry: HistoryEntry): string {
  const { what, text, by } = told(entry);
  const whose = by === undefined ? '' : ` by ${cell(by)}`;
  return `${timestamp(entry.at)} ${cell(what)}${whose}: ${sentence(text)}`;
}
