/**
 * After an outage: what is to be told once all that waited is there. Pure, and judged by how long messages have waited,
 * so that a restart changes nothing.
 */
import type { NoticeDraft } from '../notices.ts';
import type { Moment } from '../state.ts';
import type { Waiting } from './window.ts';

/** Seconds. What waited for less is no outage worth a word. */
const late = 60;
/** Seconds between two notices; a sink that comes and goes makes one of all that was meanwhile. */
const calm = 600;

interface Gap {
  /** When the first that waited was accepted, in seconds of uptime. */
  from: number;
  /** When something arrived again. */
  to: Moment;
  messages: number;
  /** What is before this sequence number waited, too. */
  until: number;
  isOver: boolean;
}

export class Gaps {
  private gap: Gap | undefined;
  private messageAt = Number.NEGATIVE_INFINITY;

  /**
   * A batch has arrived.
   *
   * @param next of the spool
   * @param isBack the sink had failed before
   */
  arrived(batch: readonly Waiting[], at: Moment, next: number, isBack: boolean): void {
    const alerts = batch.filter(({ message }) => message.kind !== 'notice');
    if (alerts.some(({ since }) => at.uptime - since >= late)) {
      if (this.gap === undefined) {
        this.gap = { from: at.uptime, to: at, messages: 0, until: next, isOver: false };
      } else if (this.gap.isOver) {
        this.gap = { ...this.gap, to: at, until: next, isOver: false };
      } else if (isBack) {
        this.gap.to = at;
        this.gap.until = next;
      }
    }
    const { gap } = this;
    if (gap === undefined || gap.isOver) return;
    for (const { seq, since } of alerts) {
      // A refresh has no place in the spool.
      if (Number.isFinite(seq) && seq >= gap.until) continue;
      gap.messages += 1;
      gap.from = Math.min(gap.from, since);
    }
  }

  /** What still waits: the first sequence number, and the oldest alert. Gives whether a gap is over by it. */
  waits(lowest: number, oldest: Waiting | undefined, uptime: number, next: number): boolean {
    const { gap } = this;
    if (gap === undefined || gap.isOver || lowest < gap.until) return false;
    if (oldest !== undefined && uptime - oldest.since >= late) {
      gap.until = next;
      return false;
    }
    gap.isOver = true;
    return true;
  }

  /** Seconds until there is something to tell. */
  dueIn(uptime: number): number | undefined {
    return this.gap?.isOver ? Math.max(0, this.messageAt + calm - uptime) : undefined;
  }

  /** What is over. It counts as told, unless it is put back. */
  take(sink: string, uptime: number): { notice: NoticeDraft; putBack(): void } | undefined {
    const { gap, messageAt } = this;
    if (gap === undefined || !gap.isOver) return undefined;
    this.gap = undefined;
    this.messageAt = uptime;
    return {
      notice: noticeOf(sink, gap),
      putBack: () => {
        this.messageAt = messageAt;
        this.gap = this.gap === undefined ? gap : merged(gap, this.gap);
      },
    };
  }
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
  const text = `nothing, or not all, could be delivered to ${sink} from ${from} to ${to} (${seconds} s); the ${messages} messages that waited have arrived before this one`;
  return { notice: 'gap', text, facts: { from, to, seconds, messages }, sink };
}
