/** A machine's events, from the history and from people's orders and notes. */
import type { HistoryEntry } from '@skolo/api';
import type { Clock } from '@skolo/common';
import type { History } from './history.ts';

interface Span {
  from?: string | undefined;
  to?: string | undefined;
}

const dayMs = 86_400_000;

/** In milliseconds since 1970. Default: the last day. */
export function spanOf(
  { from, to }: Span,
  clock: Pick<Clock, 'now'>,
): { from: number; to: number } {
  // An event in this millisecond counts.
  const end = to === undefined ? clock.now() + 1 : Date.parse(to);
  return { from: from === undefined ? end - dayMs : Date.parse(from), to: end };
}

/** Newest first. @throws HistoryUnavailable */
export async function timeline(
  {
    history,
    orders,
  }: {
    history: Pick<History, 'entries'>;
    orders: { history(machine: string, span: { from: number; to: number }): HistoryEntry[] };
  },
  machine: string,
  span: { from: number; to: number },
  { limit, kind }: { limit: number; kind?: string | undefined },
): Promise<{ entries: HistoryEntry[]; truncated: boolean }> {
  // Without these, the rest would look complete.
  const wanted = kind === undefined ? undefined : new Set([...kind.split(','), 'omitted']);
  const ordered = orders
    .history(machine, span)
    .filter((entry) => wanted === undefined || wanted.has(entry.kind));
  const all = [...(await history.entries(machine, span, limit + 1, wanted)), ...ordered];
  all.sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  return { entries: all.slice(0, limit), truncated: all.length > limit };
}
