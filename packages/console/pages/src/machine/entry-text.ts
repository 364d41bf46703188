/** Texts for entries of a machine's history. */

import type { HistoryEntry } from '@skolo/api/machine-state';
import { count } from '@skolo/base/count';

export function textOf(entry: HistoryEntry): string {
  switch (entry.kind) {
    case 'condition':
      return entry.text;
    case 'task':
      return [
        entry.id,
        entry.outcome,
        entry.infrastructure && `infrastructure, because ${entry.infrastructure}`,
      ]
        .filter(Boolean)
        .join(': ');
    case 'cycle':
      return `${entry.action} by ${entry.by}: ${entry.reason}${entry.outcome ? `; ${entry.outcome}` : ''}`;
    case 'repair':
      return `${entry.step}: ${entry.outcome}${entry.text ? `; ${entry.text}` : ''}`;
    case 'would-have':
      return `${entry.action} by ${entry.by}: ${entry.reason}; not done, because rack.yaml has \`acts: false\``;
    case 'hold':
    case 'order':
      return [entry.by, entry.reason].filter(Boolean).join(': ');
    case 'alert':
      return [entry.name, entry.severity].filter(Boolean).join(', ');
    case 'note':
      return `${entry.by}: ${entry.text}`;
    case 'boot':
      return 'the machine booted';
    case 'omitted':
      return `${count(entry.count, `${entry.of} event`)} omitted, because the history limits the number of entries per hour`;
  }
}
