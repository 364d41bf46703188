/** Appends notices: messages about the delivery itself, for those who read the alerts. */

import type { NoticeMessage } from '@skolo/alerts';
import { count } from '@skolo/base';
import type { Clock } from '@skolo/common';
import type { EmitAlertEvent } from '../events.ts';
import { damageText } from '../state/damage.ts';

/** A notice before it has an ID and a time. */
export type NoticeDraft = Omit<NoticeMessage, 'kind' | 'id' | 'at'>;

interface NoticesDeps {
  /** @throws Rejection */
  intake: { notify(notice: NoticeDraft): Promise<void> };
  location(): string;
  clock: Clock;
  emit: EmitAlertEvent;
}

const deadLettersEverySeconds = 3600;

export function createNotices({ intake, location, clock, emit }: NoticesDeps): EmitAlertEvent {
  /** Dead letters of each sink since its last notice. */
  const counts = new Map<string, { since: number; count: number }>();

  /** On a full disk, only the log and the metrics have it. */
  function notify(notice: NoticeDraft): void {
    intake.notify(notice).catch((error: unknown) => {
      emit({ type: 'notice-failed', notice: notice.notice, error });
    });
  }

  function countDeadLetter(sink: string, why: string): void {
    const uptime = clock.uptime();
    const known = counts.get(sink);
    const total = (known?.count ?? 0) + 1;
    if (known !== undefined && uptime - known.since < deadLettersEverySeconds) {
      known.count = total;
      return;
    }
    counts.set(sink, { since: uptime, count: 0 });
    const text = `${sink}: ${count(total, 'new dead letter')}: ${why}; fix the cause, and then run skolo alerts dead-letters --retry`;
    notify({ notice: 'dead-letters', text, facts: { count: total, sink } });
  }

  return function noticeEvent(event) {
    switch (event.type) {
      case 'dead-letter':
        return countDeadLetter(event.sink, event.why);
      case 'dropped': {
        const { sink, count: lost } = event;
        const text = `the spool was full, so it dropped ${count(lost, 'message')} that ${sink} had not received`;
        return notify({ notice: 'dropped', text, facts: { count: lost }, sink });
      }
      case 'spool-damaged': {
        const { lost, lines } = event;
        const text = damageText(event, location());
        return notify({ notice: 'damaged', text, facts: { lost, lines } });
      }
      case 'known-alerts-lost': {
        const text = damageText(event, location());
        return notify({ notice: 'damaged', text, facts: { lost: 0, lines: 0 } });
      }
    }
  };
}
