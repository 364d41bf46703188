/**
 * Decides when a delivery gap is reported: after an outage, a notice (`AlertDeliveryGap`) follows the messages that had waited. Judged
 * by how long messages waited, so that a restart makes no difference.
 */

import type { NoticeDraft } from '../intake/notices.ts';
import type { Moment } from '../state/known-alerts.ts';
import type { Waiting } from './queue.ts';

interface GapState {
  gap: Gap | undefined;
  /** Of the last notice, in seconds of uptime. */
  noticedAt: number;
}

interface Gap {
  /** When the first message that waited was accepted, in seconds of uptime. */
  from: number;
  /** When a message arrived again. */
  to: Moment;
  messages: number;
  /** Messages before this sequence number waited, too. */
  until: number;
  isOver: boolean;
}

/** Messages that waited for less, in seconds, do not count as a gap. */
const late = 60;
/** Between two notices, in seconds: an unstable sink causes one notice for all its gaps. */
const calm = 600;

export function noGap(): GapState {
  return { gap: undefined, noticedAt: Number.NEGATIVE_INFINITY };
}

/**
 * A batch has arrived.
 *
 * @param next the spool's next sequence number
 * @param isBack the sink had failed before
 */
export function batchArrived(
  state: GapState,
  batch: readonly Waiting[],
  at: Moment,
  next: number,
  isBack: boolean,
): void {
  const alerts = batch.filter(({ message }) => message.kind !== 'notice');
  if (alerts.some(({ since }) => at.uptime - since >= late)) {
    if (state.gap === undefined) {
      state.gap = { from: at.uptime, to: at, messages: 0, until: next, isOver: false };
    } else if (state.gap.isOver || isBack) {
      state.gap = { ...state.gap, to: at, until: next, isOver: false };
    }
  }
  const { gap } = state;
  if (gap === undefined || gap.isOver) return;
  for (const { seq, since } of alerts) {
    // A refresh has no position in the spool.
    if (Number.isFinite(seq) && seq >= gap.until) continue;
    gap.messages += 1;
    gap.from = Math.min(gap.from, since);
  }
}

/**
 * Ends the gap once everything that had waited has arrived.
 *
 * @param lowest the first message that has not arrived
 * @param oldest since when the oldest alert has waited; undefined: no alert is waiting
 */
export function endGap(
  { gap }: GapState,
  lowest: number,
  oldest: number | undefined,
  uptime: number,
  next: number,
): void {
  if (gap === undefined || gap.isOver || lowest < gap.until) return;
  if (oldest !== undefined && uptime - oldest >= late) gap.until = next;
  else gap.isOver = true;
}

/** Seconds until a notice is due. Undefined: no gap has ended. */
export function noticeDueIn({ gap, noticedAt }: GapState, uptime: number): number | undefined {
  return gap?.isOver ? Math.max(0, noticedAt + calm - uptime) : undefined;
}

/** Takes the notice of an ended gap. It counts as written, unless it is put back. */
export function takeNotice(
  state: GapState,
  sink: string,
  uptime: number,
): { notice: NoticeDraft; putBack(): void } | undefined {
  const { gap, noticedAt } = state;
  if (!gap?.isOver) return undefined;
  state.gap = undefined;
  state.noticedAt = uptime;
  return {
    notice: noticeOf(sink, gap),
    putBack() {
      state.noticedAt = noticedAt;
      state.gap = state.gap === undefined ? gap : merged(gap, state.gap);
    },
  };
}

function merged(before: Gap, after: Gap): Gap {
  const from = Math.min(before.from, after.from);
  return { ...after, from, messages: before.messages + after.messages };
}

function noticeOf(sink: string, { from: since, to: until, messages }: Gap): NoticeDraft {
  const waited = Math.max(0, until.uptime - since);
  const seconds = Math.round(waited);
  const from = new Date(Math.round(until.now - waited * 1000)).toISOString();
  const to = new Date(until.now).toISOString();
  const text = `delivery to ${sink} was interrupted from ${from} to ${to} (${seconds} s); messages queued meanwhile and delivered before this one: ${messages}`;
  return { notice: 'gap', text, facts: { from, to, seconds, messages }, sink };
}
